"""A span as it was received, whatever the encoding: bounded, its attributes under canonical words."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson

TEXT_BYTES: Final = 16_384
"""Bytes of one text that are kept; what is cut ends in `…`. Our own exporter cuts at 4 kB a field and says so."""
NESTED_BYTES: Final = 8 * TEXT_BYTES
"""Bytes of a list or map that is read at all; a larger one counts as spoiled."""
DEEPEST: Final = 30
"""Levels of lists and maps that are read; what is deeper shows as null."""


class RawSpan(NamedTuple):
    """What both decoders make of a span."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    name: str
    start: int
    end: int
    side: int
    """Of the span, as OTLP numbers them: 1 internal, 2 server, 3 client, 4 producer, 5 consumer."""
    code: int
    """Of the status: 0 unset, 1 ok, 2 error; hostile senders send others."""
    message: str
    scope: str
    resource: dict[str, Any]
    """Words of the resource; shared by its spans: not to be changed."""
    words: dict[str, Any]
    """Words of the span and its events: texts, and counts of at least 0; the span's own."""
    spoiled: int = 0
    """Attributes that could not be read, of the span and its resource."""


def cut(raw: bytes) -> str:
    """Text of at most TEXT_BYTES, with `…` where it was longer; what is no UTF-8 shows as U+FFFD."""
    if len(raw) <= TEXT_BYTES:
        return raw.decode("utf-8", "replace")
    return raw[: TEXT_BYTES - 3].decode("utf-8", "replace").rstrip("\ufffd") + "…"


def nested_text(value: object) -> str | None:
    """A list or map as JSON text; None for one that is too large."""
    packed = orjson.dumps(value)
    return cut(packed) if len(packed) <= NESTED_BYTES else None


def double(value: float) -> str | float:
    """A double as attributes hold it: what is no finite number as its name."""
    return value if value - value == 0.0 else str(value)
