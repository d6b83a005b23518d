"""Spans out of a JSON request: the same as out of a binary one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from agentcop_detectors.normalise.names import WANTED
from agentcop_detectors.normalise.raw import TEXT_BYTES, RawSpan, cut

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODES: Final = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
_LONGEST_NUMBER: Final = 20
_MAX_NS: Final = 2**64


def spans_of(body: bytes) -> Iterator[RawSpan]:
    """The spans of an OTLP/JSON request. Raises ValueError for no JSON; what has a wrong type reads as empty."""
    request = orjson.loads(body)
    for resource_spans in _objects(request, "resourceSpans"):
        resource, spoiled_above = _words(_object(resource_spans, "resource"))
        for scope_spans in _objects(resource_spans, "scopeSpans"):
            scope = _text(_object(scope_spans, "scope").get("name"))
            for span in _objects(scope_spans, "spans"):
                status = _object(span, "status")
                words, spoiled = _words(span)
                yield RawSpan(
                    _id(span.get("traceId")),
                    _id(span.get("spanId")),
                    _id(span.get("parentSpanId")),
                    _text(span.get("name")),
                    _number(span.get("startTimeUnixNano")),
                    _number(span.get("endTimeUnixNano")),
                    _code(status.get("code")),
                    _text(status.get("message")),
                    scope,
                    resource,
                    words,
                    spoiled + spoiled_above,
                )


def _words(owner: dict[str, Any]) -> tuple[dict[str, str | int], int]:
    found: dict[str, str | int] = {}
    ranks: dict[str, int] = {}
    spoiled = 0
    for pair in _list(owner, "attributes"):
        key = pair.get("key", "") if isinstance(pair, dict) else None
        value = pair.get("value", {}) if isinstance(pair, dict) else None
        if not isinstance(key, str) or not isinstance(value, dict):
            spoiled += 1
            continue
        wanted = WANTED.get(key.encode("utf-8", "surrogatepass"))
        if wanted is None:
            continue
        word, rank = wanted
        read = _value(value)
        if read is None:
            spoiled += bool(value)
        elif rank <= ranks.get(word, rank):
            found[word], ranks[word] = read, rank
    return found, spoiled


def _value(value: dict[str, Any]) -> str | int | None:
    found: str | int | None = None
    match value:
        case {"stringValue": str(text)} | {"bytesValue": str(text)} | {"doubleValue": str(text)}:
            found = _text(text)
        case {"boolValue": bool(flag)}:
            found = "true" if flag else "false"
        case {"intValue": int(number)} if not isinstance(number, bool):
            found = number
        case {"intValue": str(digits)} if len(digits) <= _LONGEST_NUMBER and digits.removeprefix("-").isdecimal():
            found = int(digits)
        case {"doubleValue": float(double)}:
            found = int(double) if double.is_integer() else str(double)
        case {"doubleValue": int(number)} if not isinstance(number, bool):
            found = number
        case {"arrayValue": nested} | {"kvlistValue": nested}:
            packed = orjson.dumps(nested)
            found = cut(packed) if len(packed) <= TEXT_BYTES else ""
        case _:
            found = None
    return found


def _objects(owner: object, name: str) -> Iterator[dict[str, Any]]:
    return (each for each in _list(owner, name) if isinstance(each, dict))


def _list(owner: object, name: str) -> list[Any]:
    found = owner.get(name) if isinstance(owner, dict) else None
    return found if isinstance(found, list) else []


def _object(owner: dict[str, Any], name: str) -> dict[str, Any]:
    found = owner.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return cut(value.encode("utf-8", "replace")) if isinstance(value, str) else ""


def _id(value: object) -> bytes:
    """Hex digits, as OTLP/JSON has ids; empty for anything else."""
    if not isinstance(value, str) or len(value) > 32:  # noqa: PLR2004 -- a trace id is 16 bytes
        return b""
    try:
        return bytes.fromhex(value)
    except ValueError:
        return b""


def _number(value: object) -> int:
    if isinstance(value, str) and value.isdecimal() and len(value) <= _LONGEST_NUMBER:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_NS else 0


def _code(value: object) -> int:
    if isinstance(value, str):
        return _CODES.get(value, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
