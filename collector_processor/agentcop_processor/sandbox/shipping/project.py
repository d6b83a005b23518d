"""The part of a project that goes into a box: the packages that are in use, less what is hidden in them.

A folder that holds nothing hidden is mounted as it is; of any other each entry for itself, so that what is hidden is
not covered by something but is not there. What somebody puts into a folder that is mounted as it is shows in boxes
that stand already, whatever it is; the next box is made without it.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.engine import Mount
from agentcop_processor.sandbox.shipping.hidden import Hidden
from agentcop_processor.sandbox.shipping.origins import is_cops, is_projects, origin_of
from agentcop_processor.sandbox.shipping.reasons import STAY, CannotTravel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from agentcop_processor.protected.places import Place

# Paths stay text: tens of thousands are looked at.
# ruff: noqa: PTH100, PTH112, PTH113, PTH116, PTH118, PTH119, PTH206

FOLDER: Final = "/project"
"""Where projects stand in a box: each of their roots as `/project/0`, `/project/1`, …"""
MAX_ENTRIES: Final = 50_000
MAX_MOUNTS: Final = 256
_DEEPEST: Final = 64  # folders in folders
_SETTLED: Final = 2_000_000_000  # nanoseconds after which a folder's time of change tells of every change


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """As a parcel has it."""

    path: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()


@dataclass(frozen=True, slots=True)
class _Walk:
    """What of one folder is mounted, and what shows that it still holds."""

    places: tuple[Place, ...]
    shown: tuple[str, ...]
    """Relative to the folder; "" is the folder itself."""
    links: tuple[tuple[str, str], ...]
    """From a link's own path, relative too, to the file that it leads to."""
    folders: tuple[tuple[str, int], ...]
    """Every folder that was read, and its time of change."""
    settled: bool


_walks: dict[str, _Walk] = {}


def project_of(roots: Collection[tuple[str, str]], names: Iterable[str] = (), others: Iterable[str] = ()) -> Project:
    """For these roots, each with an entry that must be there, all that is loaded of them. Raises CannotTravel.

    `names` are modules that will be imported yet, if they are in one of the roots, in a folder of `sys.path` that
    holds neither Python nor what is installed, or in one of the `others`. Roots come in the order of `sys.path`.
    """
    wanted: dict[str, dict[str, None]] = {}
    for root, entry in (*roots, *_unloaded(roots, names, others)):
        wanted.setdefault(root, {})[entry] = None
    if not wanted:
        return Project()
    for name, module in list(sys.modules.items()):
        if "." in name or name == "__main__" or is_cops(name):
            continue
        origin = origin_of(name, module)
        if origin.root in wanted and origin.kind == "project":
            wanted[origin.root][origin.entry] = None
    hidden = Hidden()
    mounts: list[Mount] = []
    for number, (root, entries) in enumerate(sorted(wanted.items(), key=lambda item: _place(item[0]))):
        for entry in sorted(entries):
            mounts.extend(_mounts(os.path.join(root, entry), f"{FOLDER}/{number}/{entry}", hidden))
    if len(mounts) > MAX_MOUNTS:
        raise CannotTravel(
            f"its project would need {len(mounts)} mounts, and {MAX_MOUNTS} is the most",
            f"move dot-files and keys out of its packages {STAY}",
        )
    return Project(path=tuple(f"{FOLDER}/{number}" for number in range(len(wanted))), mounts=tuple(mounts))


def _unloaded(
    roots: Collection[tuple[str, str]], names: Iterable[str], others: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Where these modules stand, of those that stand in one of these folders."""
    folders = dict.fromkeys((*(root for root, _ in roots), *others, *filter(is_projects, _on_path())))
    for name in names:
        for root in folders:
            if os.path.isdir(os.path.join(root, name)):
                yield root, name
            elif os.path.isfile(os.path.join(root, f"{name}.py")):
                yield root, f"{name}.py"


def _on_path() -> list[str]:
    return [os.path.abspath(folder) for folder in sys.path]


def _place(root: str) -> int:
    """Where imports look for it here; behind all others where only its package says where it is."""
    path = _on_path()
    return path.index(root) if root in path else len(path)


def _mounts(path: str, target: str, hidden: Hidden) -> list[Mount]:
    source = os.path.realpath(path)
    if _holds_home(source):
        raise CannotTravel(f"its package {os.path.basename(path)} holds the home folder", "move it into a folder")
    if hidden.is_the_gates(source) or hidden.hides_name(os.path.basename(source)):
        raise CannotTravel(f"{os.path.basename(path)} is hidden from every tool", "give it another name or place")
    if not os.path.isdir(source):
        if not os.path.isfile(source):
            raise CannotTravel(f"its module {os.path.basename(path)} is no file", f"keep it in a file {STAY}")
        return [Mount(source=source, target=target)]
    try:
        walk = _walked(source, hidden)
    except OSError as error:
        why = f"its package {os.path.basename(path)} cannot be read ({error.strerror or type(error).__name__})"
        raise CannotTravel(why, f"make it readable {STAY}") from None
    found = [
        Mount(source=os.path.join(source, part) if part else source, target=f"{target}/{part}" if part else target)
        for part in walk.shown
    ]
    return found + [Mount(source=real, target=f"{target}/{link}") for link, real in walk.links]


def _holds_home(path: str) -> bool:
    homes = {os.path.realpath(os.path.expanduser("~")), os.path.realpath(Path.home())}  # noqa: PTH111 -- text
    return any(home == path or home.startswith(os.path.join(path, "")) for home in homes)


def _walked(folder: str, hidden: Hidden) -> _Walk:
    known = _walks.get(folder)
    if known is not None and known.settled and known.places == hidden.places and _unchanged(known):
        return known
    walk = _Reading(folder, hidden).walk()
    _walks[folder] = walk
    return walk


def _unchanged(walk: _Walk) -> bool:
    try:
        return all(os.stat(folder).st_mtime_ns == changed for folder, changed in walk.folders)
    except OSError:
        return False


class _Reading:
    """One walk through a folder, depth first."""

    def __init__(self, folder: str, hidden: Hidden) -> None:
        self._top = folder
        self._hidden = hidden
        self._entries = 0
        self._folders: list[tuple[str, int]] = []

    def walk(self) -> _Walk:
        """Raises CannotTravel if there is too much of it, OSError if it cannot be read."""
        now = time.time_ns()
        shown, links = self._shown(self._top, 0) or ([""], [])
        return _Walk(
            self._hidden.places,
            tuple(sorted(shown)),
            tuple(sorted(links)),
            tuple(self._folders),
            all(now - changed > _SETTLED for _, changed in self._folders),
        )

    def _shown(self, folder: str, depth: int) -> tuple[list[str], list[tuple[str, str]]] | None:
        """What of a folder is mounted, by its path from the top; None: the whole folder."""
        self._folders.append((folder, os.stat(folder).st_mtime_ns))
        with os.scandir(folder) as found:
            entries = []
            for entry in found:
                self._entries += 1
                if self._entries > MAX_ENTRIES or depth > _DEEPEST:
                    raise CannotTravel(
                        f"its package {os.path.basename(self._top)} holds more than {MAX_ENTRIES} files",
                        f"keep data out of it {STAY}",
                    )
                entries.append(entry)
        whole = True
        shown: list[str] = []
        links: list[tuple[str, str]] = []
        for entry in entries:
            part = os.path.relpath(entry.path, self._top)
            if self._hidden.hides(entry):
                whole = False
            elif entry.is_symlink():
                if (real := self._real(entry.path)) is not None:
                    links.append((part, real))
            elif entry.is_dir(follow_symlinks=False):
                inner = self._shown(entry.path, depth + 1)
                if inner is None:
                    shown.append(part)
                else:
                    whole = False
                    shown.extend(inner[0])
                    links.extend(inner[1])
            else:
                shown.append(part)
        return None if whole else (shown, links)

    def _real(self, link: str) -> str | None:
        """The file inside the same package that a link leads to; None: it leads elsewhere, and to nothing in a box."""
        real = os.path.realpath(link)
        inside = real.startswith(os.path.join(self._top, "")) and os.path.isfile(real)
        if not inside or self._hidden.is_the_gates(real):
            return None
        parts = os.path.relpath(real, self._top).split(os.sep)
        return None if any(self._hidden.hides_name(part) for part in parts) else real
