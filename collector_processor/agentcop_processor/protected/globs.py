"""Globs: whether what a shell would expand can be a protected place."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Final

from agentcop_processor.protected.words import UNKNOWN

if TYPE_CHECKING:
    from agentcop_processor.protected.places import Place, Places

_STARS: Final = re.compile(r"\*+")


def may_match(pattern: str, places: Places) -> Place | None:
    """The place that an absolute glob reaches, part by part; what is not known may be anything."""
    parts: list[str] = []
    for part in pattern.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(_STARS.sub("*", part.replace(UNKNOWN, "*")))
    for place in places.places:
        size = len(place.parts)
        reaches = len(parts) >= size if place.is_folder else len(parts) == size
        if reaches and all(map(_matches, place.parts, parts)):
            return place
    return None


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern)


def may_end(pattern: str, places: Places) -> Place | None:
    """The place whose path ends as `pattern` does, which begins with what is not known: `$X/../conf/policy.yaml`."""
    known = [part for part in pattern.split("/")[1:] if part not in ("", ".", "..")]
    for place in places.places:
        for size in range(1, min(len(known), len(place.parts)) + 1):
            whole = place.is_folder or size == len(known)
            if whole and all(map(_matches, place.parts[-size:], known)):
                return place
    return None
