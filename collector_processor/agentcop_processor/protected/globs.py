"""Globs: whether what a shell would expand can be a protected place."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agentcop_processor.protected.places import Place, Places

_ALTERNATIVES: Final = re.compile(r"\{[^{}]*(?:\}|$)|^[^{]*\}")
_STARS: Final = re.compile(r"\*+")


def may_match(pattern: str, places: Places) -> Place | None:
    """The place that an absolute glob reaches, part by part; `{a,b}`, whole or in pieces, may be anything."""
    parts: list[str] = []
    for part in pattern.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(_STARS.sub("*", _ALTERNATIVES.sub("*", part)))
    for place in places.places:
        size = len(place.parts)
        reaches = len(parts) >= size if place.is_folder else len(parts) == size
        if reaches and all(map(_matches, place.parts, parts)):
            return place
    return None


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern)
