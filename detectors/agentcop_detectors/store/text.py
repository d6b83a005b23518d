"""Text from a stranger as every database takes it."""

from __future__ import annotations

import hashlib
from typing import Final

NAME: Final = 300
"""Characters of a name, as the columns have it."""
_DIGEST: Final = 16


def sound(text: str) -> str:
    """Without NUL, which PostgreSQL refuses, and without lone surrogates, which no database takes."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def bounded(text: str, limit: int) -> str:
    """At most `limit` characters, of which a name that is cut keeps its own: two long ones do not become one."""
    text = sound(text)
    if len(text) <= limit:
        return text
    if limit <= 2 * _DIGEST:
        return text[:limit]
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    return f"{text[: limit - _DIGEST - 1]}~{digest}"
