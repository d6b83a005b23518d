"""Characters that a model reads and a person does not see, where no script or emoji needs them.

Joiners belong to emoji and to Arabic, Indic and Persian words; direction marks to Hebrew and Arabic lines; tags to the
flags of England, Scotland and Wales; variation selectors to emoji and ideographs. Everywhere else they hide something.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["tags", "direction", "zero-width", "selectors"]
"""`tags`: a second alphabet that is never shown. `direction`: text shown in another order than it is read.
`zero-width`: words broken where nobody sees it. `selectors`: bytes hidden behind a character."""

_ANY: Final = re.compile(
    "[\U000e0000-\U000e007f]++"
    "|[\u202a-\u202e\u2066-\u2069]"
    "|[\u200b-\u200d\u2060-\u2064\ufeff\u180e\u115f\u1160\u3164\uffa0]"
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]++"
)
_FLAG: Final = "\U0001f3f4"
_CANCEL: Final = "\U000e007f"
_LONGEST_FLAG: Final = 7
_OVERRIDES: Final = frozenset("\u202d\u202e")
_JOINERS: Final = frozenset("\u200c\u200d")
_HIDDEN_DIRECTION: Final = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_ENOUGH_ZERO_WIDTH: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Invisible:
    """Characters of one kind in one line, from the first to the last."""

    kind: Kind
    start: int
    end: int
    count: int
    hidden: str = ""
    """What the tags spell out, for a person to read; "" for other kinds."""


def invisible(text: str) -> Iterator[Invisible]:
    """What is hidden in a text, one item for each kind and line. Linear in the text."""
    if text.isascii():
        return
    found: dict[tuple[int, Kind], Invisible] = {}
    line = counted = 0
    for match in _ANY.finditer(text):
        kind = _kind(text, match.start(), match.end())
        if kind is None:
            continue
        line += text.count("\n", counted, match.start())
        counted = match.start()
        before = found.get((line, kind))
        spelled = "".join(chr(ord(char) - 0xE0000) for char in match[0] if kind == "tags" and char > "\U000e001f")
        found[line, kind] = Invisible(
            kind=kind,
            start=before.start if before else match.start(),
            end=match.end(),
            count=(before.count if before else 0) + match.end() - match.start(),
            hidden=((before.hidden if before else "") + spelled).replace(_CANCEL, "")[:200],
        )
    yield from found.values()


def is_grave(item: Invisible) -> bool:
    """Whether it is more than a slip of a keyboard or an editor: a stray zero-width space alone is none."""
    return item.kind != "zero-width" or item.count >= _ENOUGH_ZERO_WIDTH


def _kind(text: str, start: int, end: int) -> Kind | None:
    char = text[start]
    before, after = text[start - 1 : start], text[end : end + 1]
    if "\U000e0000" <= char <= "\U000e007f":
        flag = before == _FLAG and text[end - 1] == _CANCEL and end - start <= _LONGEST_FLAG
        return None if flag else "tags"
    if char in _HIDDEN_DIRECTION:
        return _direction(text, start)
    if "\ufe00" <= char <= "\ufe0f" or char >= "\U000e0100":
        lone = end - start == 1 and (char <= "\ufe0f" or (bool(before) and unicodedata.category(before) == "Lo"))
        return None if lone else "selectors"
    if char == "\ufeff" and start == 0:
        return None
    if char in _JOINERS and _joins(before, after):
        return None
    return "zero-width" if _is_plain(before) and _is_plain(after) else None


def _direction(text: str, start: int) -> Kind | None:
    """Direction marks in a line of right-to-left script are typography, but an override is not."""
    if text[start] in _OVERRIDES:
        return "direction"
    # A line of ten megabytes is looked at here and there, not as a whole for each of its marks.
    first = max(text.rfind("\n", 0, start) + 1, start - 400)
    last = text.find("\n", start, start + 400)
    around = text[first : last if last >= 0 else start + 400]
    if around.isascii():
        return "direction"
    return None if any(unicodedata.bidirectional(char) in {"R", "AL"} for char in around) else "direction"


def _joins(before: str, after: str) -> bool:
    """Whether a joiner stands between letters of a script that has joiners, or pieces of an emoji."""
    return any(char and not char.isascii() and not _is_latin(char) for char in (before, after))


def _is_plain(char: str) -> bool:
    """A Latin letter or digit, with which nothing invisible has business."""
    return char != "" and ((char.isascii() and char.isalnum()) or _is_latin(char))


def _is_latin(char: str) -> bool:
    return char.isalpha() and unicodedata.name(char, "").startswith(("LATIN", "GREEK", "CYRILLIC"))
