"""Where paths lead: links, `..` and identities, with one look at each folder on the way."""

from __future__ import annotations

import os
import stat
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agentcop_processor.protected.places import Place, Places

# Paths stay text: see places.
# ruff: noqa: PTH116, PTH120, PTH208

MAX_PATH: Final = 4_096
"""Characters of the longest path that a file system takes."""

MAX_CLIMB: Final = 16 * MAX_PATH
"""Characters of the longest path that is followed through its `..`, as tools do that tidy paths themselves."""

_LIST_AFTER: Final = 64


class _Step(NamedTuple):
    """What stands at one path."""

    real: str
    place: Place | None
    exists: bool


class Resolver:
    """Belongs to one call's check: what it has seen, it does not look at again. No method raises OSError."""

    __slots__ = ("_listed", "_missed", "_places", "_seen")

    def __init__(self, places: Places) -> None:
        """`places`: what must not be reached."""
        self._places = places
        self._seen: dict[str, _Step] = {}
        self._missed: Counter[str] = Counter()
        self._listed: dict[str, frozenset[str] | None] = {}

    def lead(self, path: str) -> tuple[Place | None, str]:
        """The place that an absolute path leads to, and where it leads to. Blocks on the file system.

        A `..` is taken both ways: by its text, as some tools do first, and after links, as the kernel does.
        """
        if len(path) > MAX_CLIMB + MAX_PATH or "\0" in path:
            return None, ""
        # Two slashes at the start are a root of their own to POSIX, and one to Linux.
        unclear = "//" in path or "/." in path
        shortened = os.path.normpath("/" + path.lstrip("/")) if unclear else path
        if (place := self._places.at(shortened)) is not None:
            return place, shortened
        parts = path.split("/")
        climbs = ".." in parts
        here, place = self._walk(parts, climbs=climbs)
        if place is None and climbs:
            here, place = self._walk(shortened.split("/"), climbs=False)
        return place, here

    def exists(self, folder: str, name: str) -> bool:
        """Whether `folder` holds something of that name."""
        return self._step(folder, name).exists

    def _walk(self, parts: list[str], *, climbs: bool) -> tuple[str, Place | None]:
        here, exists = "/", True
        for part in parts:
            if part in ("", "."):
                continue
            if part == "..":
                here = os.path.dirname(here)
            elif exists:
                step = self._step(here, part)
                here, exists = step.real, step.exists
                if step.place is not None and not climbs:
                    return here, step.place
            else:
                here = f"{here}/{part}"
        return here, self._places.at(here)

    def _step(self, folder: str, name: str) -> _Step:
        path = f"/{name}" if folder == "/" else f"{folder}/{name}"
        return self._seen.get(path) or self._look(folder, name, path)

    def _look(self, folder: str, name: str, path: str) -> _Step:
        if (names := self._names(folder)) is not None and name not in names:
            # Nothing is there: what is below is taken by its name.
            return _Step(path, self._places.at(path), exists=False)
        step = self._seen[path] = self._seen_at(path)
        if not step.exists:
            self._missed[folder] += 1
        return step

    def _seen_at(self, path: str) -> _Step:
        try:
            found = os.lstat(path)
        except (OSError, ValueError):  # not there, or nobody may look
            return _Step(path, self._places.at(path), exists=False)
        if not stat.S_ISLNK(found.st_mode):
            return _Step(path, self._places.at(path) or self._places.identified(found), exists=True)
        try:
            real = os.path.realpath(path)
        except OSError:  # a link of /proc that nobody here may follow
            return _Step(path, self._places.at(path), exists=False)
        place = self._places.at(real)
        try:
            return _Step(real, place or self._places.identified(os.stat(path)), exists=True)
        except OSError:  # it may lead to what is still to be made
            return _Step(real, place, exists=True)

    def _names(self, folder: str) -> frozenset[str] | None:
        """The names in a folder, once so many were not there that a list of them is cheaper; None before that."""
        if folder in self._listed:
            return self._listed[folder]
        if self._missed[folder] < _LIST_AFTER:
            return None
        try:
            names = frozenset(os.listdir(folder))
        except OSError:
            names = None
        self._listed[folder] = names
        return names
