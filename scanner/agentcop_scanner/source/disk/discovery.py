"""Finds the files to scan under the paths that were named. Follows no link, opens nothing, enters no folder twice."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agentcop_scanner.source.disk.kinds import FileKind, file_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_FILES = 200_000
_MAX_DEPTH = 200
_NEVER = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "__pycache__",
        "node_modules",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".tox",
        ".nox",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """One file to scan."""

    path: str
    """As the scan was told it, with forward slashes."""
    real: str
    """Where it really is; opened, never printed."""
    kind: FileKind
    root: str
    """The real folder that was named and that it was found under: dotted names start there."""
    size: int = 0
    """Bytes, when it was found."""


@dataclass(slots=True, kw_only=True)
class Discovered:
    """What was found, and what was left out and why."""

    files: list[FoundFile] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)
    """Named paths that cannot be scanned, with the reason."""
    folders_not_entered: int = 0
    """Without recursion: how many folders were left alone."""


class _Search:
    def __init__(self, *, recursive: bool, max_files: int) -> None:
        self.found = Discovered()
        self.recursive = recursive
        self.max_files = max_files
        self.seen: set[tuple[int, int]] = set()
        self.full = False

    def named(self, given: Path) -> None:
        shown = given.as_posix()
        try:
            real = given.resolve(strict=True)
            mode = real.stat()
        except (OSError, RuntimeError, ValueError) as error:
            self.found.missing.append((shown, getattr(error, "strerror", None) or str(error)))
            return
        if stat.S_ISDIR(mode.st_mode):
            self._folder(shown, real)
        elif not stat.S_ISREG(mode.st_mode):
            self.found.missing.append((shown, "neither a file nor a folder"))
        else:
            kind: FileKind = file_kind(real.as_posix()) or ("python" if real.suffix == ".pyi" else "document")
            self._file(shown, real.as_posix(), kind, real.parent.as_posix(), mode)

    def _file(self, shown: str, real: str, kind: FileKind, root: str, mode: os.stat_result) -> None:
        identity = (mode.st_dev, mode.st_ino)
        if identity in self.seen:
            return  # the same file by another name that was given
        if len(self.found.files) >= self.max_files:
            self.full = True
            return
        self.seen.add(identity)
        self.found.files.append(FoundFile(path=shown, real=real, kind=kind, root=root, size=mode.st_size))

    def _folder(self, shown: str, real: Path) -> None:
        root = real.as_posix()
        todo: list[tuple[str, str, int]] = [(shown, root, 0)]
        while todo and not self.full:
            name, folder, depth = todo.pop()
            try:
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                self.found.skipped.append((name, f"folder cannot be read: {error.strerror}"))
                continue
            inner: list[tuple[str, str, int]] = []
            for entry in entries:
                path = entry.name if name == "." else f"{name.rstrip('/')}/{entry.name}"
                self._entry(entry, path, root, depth, inner)
            todo += reversed(inner)

    def _entry(
        self, entry: os.DirEntry[str], path: str, root: str, depth: int, inner: list[tuple[str, str, int]]
    ) -> None:
        try:
            mode = entry.stat(follow_symlinks=False)
        except OSError as error:
            self.found.skipped.append((path, f"cannot be looked at: {error.strerror}"))
            return
        if stat.S_ISLNK(mode.st_mode):
            self._link(entry, path, root)
        elif stat.S_ISDIR(mode.st_mode):
            self._inner_folder(entry, path, depth, inner)
        elif kind := file_kind(path):
            if stat.S_ISREG(mode.st_mode):
                self._file(path, entry.path, kind, root, mode)
            else:
                self.found.skipped.append((path, "not a regular file"))

    def _inner_folder(self, entry: os.DirEntry[str], path: str, depth: int, inner: list[tuple[str, str, int]]) -> None:
        if entry.name in _NEVER:
            self.found.skipped.append((path, "holds no source of its own"))
        elif os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):  # noqa: PTH110, PTH118  # a Path per folder costs
            self.found.skipped.append((path, "a virtual environment"))
        elif not self.recursive:
            self.found.folders_not_entered += 1
        elif depth >= _MAX_DEPTH:
            self.found.skipped.append((path, f"over {_MAX_DEPTH} folders deep"))
        else:
            inner.append((path, entry.path, depth + 1))

    def _link(self, entry: os.DirEntry[str], path: str, root: str) -> None:
        try:
            target = Path(entry.path).resolve(strict=True)
        except (OSError, RuntimeError) as error:
            self.found.skipped.append(
                (path, f"a link that leads nowhere: {getattr(error, 'strerror', None) or 'a loop'}")
            )
            return
        inside = target.as_posix() == root or target.as_posix().startswith(root.rstrip("/") + "/")
        if target.is_dir() or file_kind(path):
            self.found.skipped.append((path, "a link; scanned where it leads" if inside else "a link out of the tree"))


def discover(paths: Sequence[Path], *, recursive: bool = True, max_files: int = MAX_FILES) -> Discovered:
    """The files under `paths`, in the order of their names. A path that is itself a link is followed, no other is."""
    search = _Search(recursive=recursive, max_files=max_files)
    for path in paths:
        search.named(path)
    if search.full:
        search.found.skipped.append((str(paths[0]), f"only the first {max_files} files were scanned"))
    search.found.files.sort(key=lambda file: file.path)
    return search.found
