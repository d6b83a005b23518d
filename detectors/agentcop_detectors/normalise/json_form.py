"""Spans out of a JSON request: the same as out of a binary one."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

import orjson

from agentcop_detectors.normalise.names import EVENTS, WANTED, put
from agentcop_detectors.normalise.raw import DEEPEST, NESTED_BYTES, TEXT_BYTES, RawSpan, cut, double, nested_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_detectors.normalise.names import Wanted

_CODES: Final = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
_SIDES: Final = {
    f"SPAN_KIND_{name}": number
    for number, name in enumerate(("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
}
_DOUBLES: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_LONGEST_NUMBER: Final = 20
_LARGEST: Final = 2**63
_ID_DIGITS: Final = 32
_MAX_NS: Final = 2**64


class _Spoiled(ValueError):  # noqa: N818 -- what an attribute is
    pass


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
                    _enum(span.get("kind"), _SIDES),
                    _enum(status.get("code"), _CODES),
                    _text(status.get("message")),
                    scope,
                    resource,
                    words,
                    spoiled + spoiled_above,
                )


def _words(owner: dict[str, Any]) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    spoiled = _read(_list(owner, "attributes"), WANTED, found, ranks)
    for event in _objects(owner, "events"):
        name = event.get("name")
        wanted = EVENTS.get(name.encode("utf-8", "replace")) if isinstance(name, str) else None
        if wanted is not None:
            spoiled += _read(_list(event, "attributes"), wanted, found, ranks)
    return found, spoiled


def _read(attributes: list[Any], table: dict[bytes, Wanted], found: dict[str, Any], ranks: dict[str, int]) -> int:
    spoiled = 0
    for pair in attributes:
        key = pair.get("key", "") if isinstance(pair, dict) else None
        value = pair.get("value", {}) if isinstance(pair, dict) else None
        if not isinstance(key, str) or not isinstance(value, dict):
            spoiled += 1
            continue
        wanted = table.get(key.encode("utf-8", "replace"))
        if wanted is None:
            continue
        try:
            read = _value(value)
        except _Spoiled:
            spoiled += 1
            continue
        if read is not None:
            put(found, ranks, wanted, read)
    return spoiled


def _value(value: dict[str, Any]) -> str | float | None:
    """An AnyValue as attributes hold it; None for an empty one. Raises _Spoiled for what is none."""
    if not value:
        return None
    if "arrayValue" in value or "kvlistValue" in value:
        nested = nested_text(_plain(value, DEEPEST))
        if nested is None:
            raise _Spoiled
        return nested
    found = _plain(value, 0)
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str):
        return cut(found.encode("utf-8", "replace"))
    return double(found) if isinstance(found, float) else found


def _plain(value: Any, depth: int) -> Any:  # noqa: ANN401, PLR0911, C901 -- JSON in, JSON out, a case for each kind
    match value:
        case {"stringValue": str(text)}:
            return text
        case {"boolValue": bool(flag)}:
            return flag
        case {"intValue": int(number)} if not isinstance(number, bool) and -_LARGEST <= number < _LARGEST:
            return number
        case {"intValue": str(digits)}:
            return _int(digits)
        case {"doubleValue": float(number)}:
            return number
        case {"doubleValue": int(number)} if not isinstance(number, bool):
            return float(number)
        case {"doubleValue": str(text)} if text in _DOUBLES:
            return _DOUBLES[text]
        case {"bytesValue": str(text)}:
            return _base64(text, TEXT_BYTES if not depth else NESTED_BYTES)
        case {"arrayValue": dict(inner)}:
            return [_plain(each, depth - 1) for each in _list(inner, "values")] if depth else None
        case {"kvlistValue": dict(inner)}:
            pairs = (pair for pair in _list(inner, "values") if isinstance(pair, dict))
            return (
                {str(pair.get("key", "")): _plain(pair.get("value", {}), depth - 1) for pair in pairs}
                if depth
                else None
            )
        case {} if value == {}:
            return None
        case _:
            raise _Spoiled


def _int(digits: str) -> int:
    if not digits.isascii() or len(digits) > _LONGEST_NUMBER or not digits.removeprefix("-").isdecimal():
        raise _Spoiled
    number = int(digits)
    if not -_LARGEST <= number < _LARGEST:
        raise _Spoiled
    return number


def _base64(text: str, limit: int) -> str:
    """The same bytes in the spelling that binary requests give, of at most so many bytes."""
    try:
        raw = base64.b64decode(text, altchars=b"-_" if "-" in text or "_" in text else None, validate=True)
    except (binascii.Error, ValueError):
        raise _Spoiled from None
    return base64.b64encode(raw[:limit]).decode()


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
    if not isinstance(value, str) or len(value) > _ID_DIGITS:
        return b""
    try:
        return bytes.fromhex(value)
    except ValueError:
        return b""


def _number(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _LONGEST_NUMBER:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_NS else 0


def _enum(value: object, names: dict[str, int]) -> int:
    if isinstance(value, str):
        return names.get(value, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
