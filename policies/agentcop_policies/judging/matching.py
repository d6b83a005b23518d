"""Which tools a name in a policy's list means.

A name is exact: `bash` never matches `bash_session`, and case counts. It is a glob only where `*` (any text), `?` (one
character) or `[…]` (one of these characters, `[!…]` none of these) is written.
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_GLOB = frozenset("*?[")
_STARS = re.compile(r"\*+")


def is_glob(pattern: str) -> bool:
    """Whether `pattern` can match a name other than itself."""
    return not _GLOB.isdisjoint(pattern)


def matcher(pattern: str) -> Callable[[str], bool]:
    """The test for one pattern: name → whether it is meant.

    Hostile names cannot make it slow: each `*` is an atomic group, so a name is walked at most once a star.
    """
    if not is_glob(pattern):
        return pattern.__eq__
    match = re.compile(fnmatch.translate(_STARS.sub("*", pattern))).match
    return lambda name: match(name) is not None
