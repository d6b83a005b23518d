"""A commit's files beside the working tree, which stays as it is: no checkout, no hook, no filter, no network."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final

from agentcop_core.errors import ScanError
from agentcop_scanner.source.disk.kinds import file_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from agentcop_scanner.report import FileResult, Report, Reported

_HEADER: Final = re.compile(rb"[0-9a-f]{40,64} blob (\d{1,15})\n")
_REGULAR: Final = (b"100644", b"100755")
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The files of one commit, as a folder that lasts as long as `files_of`."""

    label: str
    """`commit 1a2b3c4d5e6f (main)`."""
    paths: tuple[Path, ...]
    """Where what was asked for is in it; what the commit does not have is left out."""
    spelled: Mapping[str, str]
    """From each of these to how it was asked for."""
    left_out: int
    """Links and submodules, which are not followed."""

    def told(self, report: Report) -> Report:
        """The report of a scan of `paths`, as if it had been of what was asked for."""
        return replace(
            report,
            files=tuple(self._file(file) for file in report.files),
            skipped=tuple((self._path(path), reason) for path, reason in report.skipped),
            notes=tuple(self._words(note) for note in report.notes),
        )

    def locate(self, path: str) -> str:
        """Where the file of a path in `told`'s report is."""
        return _moved(path, ((asked, real) for real, asked in self.spelled.items()))

    def _path(self, path: str) -> str:
        return _moved(path, self.spelled.items())

    def _words(self, text: str) -> str:
        for real, asked in self.spelled.items():
            text = text.replace(f"{real}/", _inside(asked)).replace(real, asked)
        return text

    def _file(self, file: FileResult) -> FileResult:
        return replace(
            file,
            path=self._path(file.path),
            problem=self._words(file.problem),
            findings=tuple(self._reported(one) for one in file.findings),
        )

    def _reported(self, one: Reported) -> Reported:
        trace = tuple(replace(step, path=self._path(step.path)) for step in one.finding.trace)
        return replace(one, finding=replace(one.finding, path=self._path(one.finding.path), trace=trace))


@contextmanager
def files_of(ref: str, paths: Sequence[Path]) -> Iterator[Revision]:
    """The commit that `ref` names, as far as it is under `paths` and can be scanned. Blocks; needs git.

    Raises ScanError for a path outside a repository, a name that is no commit, or where there is no git.
    """
    top = Path(_git(Path.cwd(), "rev-parse", "--show-toplevel").decode().rstrip("\n"))
    wanted = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    commit_id = _git(top, *wanted, what=f"{ref} is no commit of the repository {top}").decode().strip()
    inside = [(path, _in_repository(path, top)) for path in paths]
    with tempfile.TemporaryDirectory(prefix="agentcop-") as folder:
        root = Path(folder).resolve()
        left_out = _write(top, commit_id, [rel for _, rel in inside], root)
        spelled = {str(root / rel): path.as_posix() for path, rel in inside if (root / rel).exists()}
        named = "" if commit_id.startswith(ref) else f" ({ref})"
        yield Revision(
            label=f"commit {commit_id[:12]}{named}",
            paths=tuple(Path(real) for real in spelled),
            spelled=spelled,
            left_out=left_out,
        )


def _moved(path: str, folders: Iterable[tuple[str, str]]) -> str:
    """`path` in the second folder of the pair whose first folder it is in, or which it is."""
    for source, target in folders:
        if path == source:
            return target
        if path.startswith(_inside(source)):
            return _inside(target) + path.removeprefix(_inside(source))
    return path


def _inside(folder: str) -> str:
    """What the paths in a folder begin with, as the search for files spells them."""
    return "" if folder == "." else f"{folder.rstrip('/')}/"


def _in_repository(path: Path, top: Path) -> str:
    try:
        return path.resolve().relative_to(top.resolve()).as_posix()
    except ValueError as error:
        raise ScanError(f"{path} is not in the repository {top}: --diff compares what git knows") from error


def _write(top: Path, commit: str, wanted: Sequence[str], root: Path) -> int:
    """Write the blobs under `wanted` to `root`; how many entries were left out because they are no files."""
    limits = () if "." in wanted else ("--", *wanted)
    listing = _git(top, "ls-tree", "-r", "-z", "--full-tree", commit, *limits)
    entries: list[tuple[bytes, Path]] = []
    left_out = 0
    for record in filter(None, listing.split(b"\0")):
        head, _, name = record.partition(b"\t")
        mode, _, oid = head.split(b" ")
        path = PurePosixPath(os.fsdecode(name))
        if path.is_absolute() or ".." in path.parts or ".git" in path.parts:
            raise ScanError(f"the commit has a path that leads out of it: {path}")
        if mode not in _REGULAR:
            left_out += 1
        elif file_kind(path.as_posix()) or path.as_posix() in wanted:
            entries.append((oid, root / path))
    with tempfile.TemporaryFile() as ids:
        ids.write(b"".join(oid + b"\n" for oid, _ in entries))
        ids.seek(0)
        with subprocess.Popen(  # noqa: S603 -- git, with ids that git gave
            _command(top, "cat-file", "--batch"), stdin=ids, stdout=subprocess.PIPE, env=_environment()
        ) as git:
            if git.stdout is None:
                raise ScanError("git gave no output")
            for _, file in entries:
                _copy(git.stdout, file)
    return left_out


def _copy(stream: IO[bytes], path: Path) -> None:
    header = _HEADER.fullmatch(stream.readline(100))
    if header is None:
        raise ScanError("git could not give all files of the commit: is the clone complete?")
    left = int(header[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        while left:
            chunk = stream.read(min(left, _CHUNK))
            if not chunk:
                raise ScanError("git ended before all files of the commit were there")
            file.write(chunk)
            left -= len(chunk)
    stream.read(1)


def _git(folder: Path, *arguments: str, what: str = "") -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 -- git; what was typed stands where no option can
            _command(folder, *arguments), capture_output=True, check=False, env=_environment()
        )
    except FileNotFoundError as error:
        raise ScanError("there is no git here, which --diff needs") from error
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise ScanError(what or f"git: {words}")
    return done.stdout


def _command(folder: Path, *arguments: str) -> list[str]:
    # A repository's own settings may name programs to run: none is run for these commands, and no object is fetched.
    return ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]


def _environment() -> dict[str, str]:
    return {**os.environ, "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
