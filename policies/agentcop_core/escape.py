"""Text that people read before they decide: nothing in it can drive a terminal or hide what stands there."""

from __future__ import annotations

from typing import Final

_BLANK: Final = frozenset(
    chr(code)
    for code in {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180F, 0x2800, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x180E))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)
"""Joiners, fillers and variation selectors: Python calls them printable, and nobody sees them."""


def escape(text: str) -> str:
    """`text` on one line, with every character that a terminal would act on or not show written as its code.

    That is controls (ESC, C1, newlines), bidi marks, zero-width, blank and unassigned characters, and all spaces but
    one.
    """
    if _shows(text):
        return text
    return "".join(char if _visible(char) else char.encode("unicode_escape").decode() for char in text)


def escape_json(text: str) -> str:
    """JSON that means the same, with those characters as JSON's own escapes."""
    if _shows(text):
        return text
    return "".join(char if _visible(char) else _json_code(char) for char in text)


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, and how many were left out: never cut silently."""
    return text if len(text) <= limit else f"{text[:limit]}… +{len(text) - limit:,} chars"


def _shows(text: str) -> bool:
    return text.isprintable() and (text.isascii() or _BLANK.isdisjoint(text))


def _visible(char: str) -> bool:
    return char.isprintable() and char not in _BLANK


def _json_code(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
