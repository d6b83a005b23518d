"""Debian's packages as apt gives them: which are needed, and their files, each held against its signed checksum."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.image import CannotBuild

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

ROOTS: Final = (
    "base-files",
    "ca-certificates",
    "dash",
    "libc-bin",
    "libpython3-stdlib",
    "media-types",
    "netbase",
    "python3-minimal",
    "tzdata",
)
"""What the plain image is made of; the rest is what these need to run."""
_ONLY_TO_INSTALL: Final = frozenset(
    {
        "awk",
        "debconf",
        "debconf-2.0",
        "debianutils",
        "dpkg",
        "libdebconfclient0",
        "mawk",
        "openssl",
        "perl",
        "readline-common",
        "tar",
    }
)
"""What a package names for the scripts that install it. None of those is run here."""
_TOOLS: Final = ("apt-cache", "apt-get", "dpkg-deb")
_URI: Final = re.compile(r"^'(?P<uri>[^']+)' (?P<name>[^ /]+\.deb) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})$")
_MOST_PACKAGES: Final = 400
_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One file of a mirror."""

    file: str
    """`dash_0.5.12-2_amd64.deb`."""
    sha256: str
    """As the signed list of packages has it."""

    @property
    def name(self) -> str:
        """`dash`, as it is asked for."""
        return self.file.partition("_")[0]


def need_apt() -> None:
    """Raises CannotBuild with the way out where this machine has no apt."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise CannotBuild(
            f"there is no {' and no '.join(missing)} here: the plain image is made of Debian packages."
            " With a registry: podman build -f packaging/sandbox/Containerfile -t agentcop/agent-sandbox:2.0 ."
            " Without: agentcop sandbox build --from-venv"
        )


def find_packages(roots: Sequence[str] = ROOTS) -> tuple[Package, ...]:
    """The packages that `roots` need to run, themselves among them, in the versions apt would install. Blocks."""
    needs = read_needs(_run("apt-cache", "show", "--no-all-versions", *sorted({*roots, *_around(roots)})))
    names: set[str] = set()
    asked = set(roots)
    while asked:
        if unknown := sorted(asked - set(needs)):
            raise CannotBuild(f"apt knows no package {unknown[0]}: run apt-get update, then this again")
        names |= asked
        asked = {name for each in asked for name in needs[each]} - names
    if len(names) > _MOST_PACKAGES:
        raise CannotBuild(f"{len(names)} packages would be needed: apt's lists are not a Debian's")
    found = [_URI.match(line) for line in _run("apt-get", "download", "--print-uris", *sorted(names)).splitlines()]
    packages = [Package(file=match["name"], sha256=match["sha256"]) for match in found if match]
    if absent := sorted(names - {package.name for package in packages}):
        raise CannotBuild(f"apt offers no file with a SHA-256 for {absent[0]}: run apt-get update, then this again")
    return tuple(sorted(packages, key=lambda package: package.file))


def download(packages: Iterable[Package], folder: Path) -> None:
    """Have every package in `folder`, whole. Those that are there already are checked, not fetched again."""
    wanted = [package for package in packages if not _whole(folder / package.file, package)]
    if wanted:
        for package in wanted:
            (folder / package.file).unlink(missing_ok=True)
        _run("apt-get", "download", "-q", *(package.name for package in wanted), folder=folder)
    for package in wanted:
        if not _whole(folder / _as_saved(folder, package), package):
            raise CannotBuild(f"{package.file} is not what Debian's signed list says: it was not used")


def extract(packages: Iterable[Package], folder: Path, into: Path) -> None:
    """Unpack the packages over one another; no script of theirs is run."""
    for package in packages:
        _run("dpkg-deb", "-x", str(folder / package.file), str(into))


def _as_saved(folder: Path, package: Package) -> str:
    """The name: apt writes an epoch's colon as it likes, and the file is kept under the name it was announced by."""
    announced = folder / package.file
    if not announced.exists():
        stem = package.file.replace("%3a", ":")
        for other in folder.glob(f"{package.name}_*.deb"):
            if other.name.replace("%3a", ":") == stem:
                other.rename(announced)
    return package.file


def _whole(file: Path, package: Package) -> bool:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == package.sha256
    except FileNotFoundError:
        return False


def _around(roots: Sequence[str]) -> set[str]:
    """All that could be needed, and more: apt opens its lists once for all of them."""
    kinds = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    lines = _run("apt-cache", "depends", "--recurse", *(f"--no-{kind}" for kind in kinds), *roots).splitlines()
    return {line for line in lines if line and line[0] not in " |<"}


def read_needs(text: str) -> dict[str, tuple[str, ...]]:
    """What each package in apt's records needs to run: of alternatives the first, and nothing that only installs it."""
    return {record["Package"]: tuple(_needs(record)) for record in _records(text)}


def _records(text: str) -> Iterator[dict[str, str]]:
    """Stanzas of `Key: value` lines; continued lines are of no use here."""
    for stanza in text.split("\n\n"):
        record = dict(line.split(": ", 1) for line in stanza.splitlines() if re.match(r"[A-Za-z0-9-]+: ", line))
        if "Package" in record:
            yield record


def _needs(record: dict[str, str]) -> Iterator[str]:
    for key in ("Depends", "Pre-Depends"):
        for group in record.get(key, "").split(","):
            names = [re.split(r"[\s(:\[<]", each.strip(), maxsplit=1)[0] for each in group.split("|")]
            if names[0] and not _ONLY_TO_INSTALL & set(names):
                yield names[0]


def _run(*command: str, folder: Path | None = None) -> str:
    """Standard output of one of apt's tools, in English. Raises CannotBuild with its last line."""
    try:
        answer = subprocess.run(  # noqa: S603 -- apt's own tools, found on PATH, with names of packages
            command,
            capture_output=True,
            text=True,
            cwd=folder,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuild(f"{command[0]} did not work: {error}") from error
    errors = [line for line in answer.stderr.splitlines() if line.startswith(("E:", "dpkg-deb: error"))]
    if answer.returncode and command[0] != "apt-cache":
        raise CannotBuild(f"{command[0]} did not work: {(errors or answer.stderr.splitlines()[-1:] or ['?'])[0]}")
    return answer.stdout
