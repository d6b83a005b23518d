"""What is going to be in the image, by its path there; nothing is written before all of it is known."""

from __future__ import annotations

import posixpath
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, assert_never

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MERGED: Final = frozenset({"bin", "sbin", "lib", "lib32", "lib64", "libx32"})
"""Top folders that are links into /usr, as on every Debian and Fedora of today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file whose bytes are read from this machine when the image is written."""

    source: Path
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A small file that is made here."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Symlink:
    """A symbolic link."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that is there though nothing need be in it."""

    mode: int = 0o755


Entry = File | Text | Symlink | Folder


@dataclass(slots=True)
class Tree:
    """Entries by their path in the image, without a leading slash. `archive` sets owner and times, always the same."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def put(self, path: str, entry: Entry) -> None:
        """Set what is at `path`; later wins. A folder never takes the place of what is there."""
        place = merged(path)
        if not place or (place in MERGED) or (isinstance(entry, Folder) and place in self.entries):
            return
        self.entries[place] = entry

    def put_file(self, path: str, source: Path) -> None:
        """A regular file, links followed. Raises OSError where there is none."""
        mode = source.stat().st_mode
        if not stat.S_ISREG(mode):
            raise FileNotFoundError(2, "no regular file", str(source))
        self.put(path, File(source=source.resolve(), executable=bool(mode & 0o111)))

    def put_folder(self, path: str, source: Path, keep: Callable[[PurePosixPath, Path], bool]) -> int:
        """All that `keep` wants of `source`, asked for each path in it; how much it did not want.

        A folder that is not wanted is not entered, and counts as one. Links that stay inside stay links; others are
        followed if they lead to a file. Devices, sockets and broken links are left out, and count.
        """
        left = 0
        waiting = [source]
        while waiting:
            for found in sorted(waiting.pop().iterdir()):
                inner = PurePosixPath(found.relative_to(source))
                place = f"{path}/{inner}"
                if not keep(inner, found):
                    left += 1
                elif found.is_symlink() and _stays(found, inner):
                    self.put(place, Symlink(target=str(found.readlink())))
                elif found.is_file():
                    self.put_file(place, found)
                elif found.is_dir() and not found.is_symlink():
                    waiting.append(found)
                else:
                    left += 1
        return left

    def files(self) -> Iterator[tuple[str, Path]]:
        """Paths in the image of files of this machine, with their source."""
        return ((path, entry.source) for path, entry in self.entries.items() if isinstance(entry, File))

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and merged(path) in self.entries


def merged(path: str) -> str:
    """`path` from the root without its slash and `..`, and with the top folders that are links into /usr resolved."""
    clean = posixpath.normpath(f"/{path}").lstrip("/")
    top = clean.partition("/")[0]
    return f"usr/{clean}" if top in MERGED and clean != top else clean


def mode_of(entry: Entry) -> int:
    """Readable by all, writable by root alone, and never setuid or setgid."""
    match entry:
        case File(executable=executable):
            return 0o755 if executable else 0o644
        case Text():
            return 0o644
        case Symlink():
            return 0o777
        case Folder(mode=mode):
            return mode
        case _:
            assert_never(entry)


def _stays(link: Path, inner: PurePosixPath) -> bool:
    """Whether a link, read at its place in the folder, leads to something in the folder."""
    target = PurePosixPath(link.readlink())
    if target.is_absolute():
        return False
    depth = len(inner.parts) - 1
    for part in target.parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return False
    return True
