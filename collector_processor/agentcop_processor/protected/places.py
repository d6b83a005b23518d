"""Which places of the file system are protected, by name and by identity."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# Paths stay text: what is looked at here is what an argument says, not what pathlib makes of it.
# ruff: noqa: PTH116

STATE: Final = "into the state folder"
POLICY: Final = "to the policy file"

Identity = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One protected folder or file, under one of its names."""

    parts: tuple[str, ...]
    """Of its absolute path, from the root."""
    is_folder: bool
    """Whether all below it is protected with it."""
    whither: str
    """As a refusal says it: `into the state folder`."""


class Places:
    """Every protected place, as the file system stood when it was made. Immutable."""

    __slots__ = ("_by_identity", "_by_path", "_folders", "above", "awkward", "homes", "places")

    def __init__(self, folders: Iterable[str], files: Iterable[str]) -> None:
        """Absolute paths; each counts under this name and under the one that its links lead to."""
        by_path: dict[str, Place] = {}
        self._by_identity: dict[Identity, Place] = {}
        for paths, is_folder, whither in ((folders, True, STATE), (files, False, POLICY)):
            for path in paths:
                for name in dict.fromkeys((os.path.normpath(path), os.path.realpath(path))):
                    place = Place(parts=parts_of(name), is_folder=is_folder, whither=whither)
                    by_path.setdefault(name, place)
                    self._identify(name, place)
        self._by_path = by_path
        self._folders = tuple((f"{name}/", place) for name, place in by_path.items() if place.is_folder)
        self.places = tuple(by_path.values())
        self.above = frozenset(
            "/" + "/".join(place.parts[:size]) for place in self.places for size in range(len(place.parts))
        )
        """Every folder below which a place lies."""
        self.homes = frozenset("/" + "/".join(place.parts[:-1]) for place in self.places)
        """Every folder in which a place lies."""
        parts = {part for place in self.places for part in place.parts}
        self.awkward = any(not part.replace("-", "").replace(".", "").replace("_", "").isalnum() for part in parts)
        """Whether a path holds a character at which a text may be taken apart, as a space."""

    def _identify(self, name: str, place: Place) -> None:
        try:
            found = os.stat(name)
        except OSError:
            return  # not there yet: its name protects it
        self._by_identity.setdefault((found.st_dev, found.st_ino), place)

    def at(self, path: str) -> Place | None:
        """The place that an absolute, normalised path lies in or is, by its name alone."""
        found = self._by_path.get(path)
        if found is None:
            for folder, place in self._folders:
                if path.startswith(folder):
                    return place
        return found

    def identified(self, found: os.stat_result) -> Place | None:
        """The place that this file or folder is, whatever its name: another link, a bind mount, other letter case."""
        return self._by_identity.get((found.st_dev, found.st_ino))

    def next_names(self, folder: str) -> tuple[str, ...]:
        """The names in `folder` that lead on towards a place."""
        parts = parts_of(folder)
        size = len(parts)
        below = (place.parts for place in self.places if len(place.parts) > size and place.parts[:size] == parts)
        return tuple({found[size] for found in below})


def parts_of(path: str) -> tuple[str, ...]:
    """The components of an absolute path, normalised."""
    return tuple(part for part in os.path.normpath(path).split("/") if part)
