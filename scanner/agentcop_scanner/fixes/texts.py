"""The fixes that need no tree: they work on the lines of a finding, in any kind of file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

_FLAG: Final = "\U0001f3f4"
_HIDDEN: Final = re.compile(
    f"{_FLAG}[\U000e0020-\U000e007e]+\U000e007f"  # a region's flag, which is to be seen
    "|([\U000e0000-\U000e007f\u202a-\u202e\u2066-\u2069\u200b\u2060\u200e\u200f]|(?<!^)\ufeff)"
)
_BARE: Final = re.compile(r"(agentcop: ?ignore)(?![\[\w])")


def without_hidden(line: str) -> str:
    """AC202: a line without tag characters, bidirectional controls, zero-width spaces. Joiners of scripts stay."""
    return _HIDDEN.sub(lambda found: "" if found[1] else found[0], line)


def with_rules(line: str, rules: Collection[str]) -> str:
    """AC301: an ignore that names no rule gets those that are found there. The reason is for its author to write."""
    return _BARE.sub(rf"\1[{', '.join(sorted(rules))}]", line, count=1) if rules else line
