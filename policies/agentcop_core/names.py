"""The canonical name of a tool: the one that policies, logs and digests see."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from hashlib import sha256
from typing import Final

UNNAMED: Final = "<unnamed>"
"""The name of a tool whose own name has nothing visible in it."""

MAX_NAME: Final = 256
"""Characters; a longer name is cut and ends in `~` and 16 hex digits of its SHA-256."""

_MAX_READ: Final = 4 * MAX_NAME
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BLANK: Final = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180F, 0x2800, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x180E))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0000, 0xE1000))
)
"""Joiners, fillers and variation selectors: of other categories than format characters, and as invisible."""


def canonical_name(name: str) -> str:
    """NFKC, without invisible, control and format characters, trimmed; case and inner spaces are kept.

    Idempotent; never empty, never over 256 characters. Look-alikes of other scripts stay different names, and so fall
    to the policy's default.
    """
    exact = name if type(name) is str else str.__str__(name)
    return _short(exact) if len(exact) <= MAX_NAME else _canonical(exact)


def _canonical(name: str) -> str:
    if name.isascii() and name.isidentifier() and len(name) <= MAX_NAME:
        return name
    read = name[:_MAX_READ]
    # Taking a character away can bring two together that compose, and composing can bring a new one to take away.
    while (cleaned := _clean(read)) != read:
        read = cleaned
    if len(name) > _MAX_READ or len(read) > MAX_NAME:
        whole = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{read[: MAX_NAME - 17].rstrip()}~{whole[:16]}"
    return read or UNNAMED


_short = lru_cache(maxsize=1024)(_canonical)


def _clean(name: str) -> str:
    kept = (char for char in name if unicodedata.category(char) not in _INVISIBLE and ord(char) not in _BLANK)
    return unicodedata.normalize("NFKC", "".join(kept)).strip()
