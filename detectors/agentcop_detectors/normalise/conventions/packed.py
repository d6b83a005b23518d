"""JSON inside an attribute, read within bounds."""

from __future__ import annotations

from typing import Any

import orjson


def unpacked(text: str) -> dict[str, Any]:
    """The object that a text holds; empty for anything else. Never raises; the text was cut when it was decoded."""
    if not text.startswith("{"):
        return {}
    try:
        found = orjson.loads(text)  # refuses what nests more than 1,024 deep
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def packed(value: object) -> str:
    """A part of what was unpacked: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
