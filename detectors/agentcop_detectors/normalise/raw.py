"""A span as it was received, whatever the encoding: bounded, its attributes under canonical words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from google.protobuf.json_format import MessageToJson

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue

TEXT_BYTES: Final = 16_384
"""Bytes of one text that are kept; our own exporter cuts at 4 kB a field and says so in the text."""


class RawSpan(NamedTuple):
    """What both decoders make of a span."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    name: str
    start: int
    end: int
    code: int
    """Of the status: 0 unset, 1 ok, 2 error; hostile senders send others."""
    message: str
    scope: str
    resource: dict[str, str | int]
    words: dict[str, str | int]
    spoiled: int = 0
    """Attributes that could not be read, of the span and its resource."""


def cut(raw: bytes) -> str:
    """Text of at most TEXT_BYTES; what is no UTF-8 shows as U+FFFD."""
    if len(raw) > TEXT_BYTES:
        raw = raw[:TEXT_BYTES]
    return raw.decode("utf-8", "replace")


def value_text(value: AnyValue) -> str:
    """A nested value as JSON text, bounded."""
    if value.ByteSize() > TEXT_BYTES:
        return ""
    return MessageToJson(value, indent=None, ensure_ascii=False)[:TEXT_BYTES]
