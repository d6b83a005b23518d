"""Spans out of a binary request, and of each only what is read: the path that every acknowledged span takes.

The messages are OTLP's own with `attributes` and texts redeclared as bytes, which is the same on the wire: upb skips
what is not read, and text that is no UTF-8 spoils no batch. An attribute of the plain form (key, then value, each
once, lengths that add up) is read from its bytes; any other goes through protobuf's own parser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from agentcop_detectors.normalise.names import WANTED
from agentcop_detectors.normalise.raw import RawSpan, cut, value_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

_PACKAGE: Final = "agentcop.lean"
_OPTIONAL, _REPEATED = 1, 3
_BYTES, _MESSAGE, _ENUM_NUMBER, _FIXED64 = 12, 11, 5, 6
_KEY, _VALUE, _STRING, _INT = 0x0A, 0x12, 0x0A, 0x18
_ONE_BYTE: Final = 0x80


def _declare() -> type[Message]:
    file = descriptor_pb2.FileDescriptorProto(name="agentcop/lean.proto", package=_PACKAGE, syntax="proto3")
    shapes: dict[str, dict[str, tuple[int, int, int | str]]] = {
        "Request": {"resource_spans": (1, _REPEATED, "ResourceSpans")},
        "ResourceSpans": {"resource": (1, _OPTIONAL, "Resource"), "scope_spans": (2, _REPEATED, "ScopeSpans")},
        "Resource": {"attributes": (1, _REPEATED, _BYTES)},
        "ScopeSpans": {"scope": (1, _OPTIONAL, "Scope"), "spans": (2, _REPEATED, "Span")},
        "Scope": {"name": (1, _OPTIONAL, _BYTES)},
        "Status": {"message": (2, _OPTIONAL, _BYTES), "code": (3, _OPTIONAL, _ENUM_NUMBER)},
        "Span": {
            "trace_id": (1, _OPTIONAL, _BYTES),
            "span_id": (2, _OPTIONAL, _BYTES),
            "parent_span_id": (4, _OPTIONAL, _BYTES),
            "name": (5, _OPTIONAL, _BYTES),
            "start": (7, _OPTIONAL, _FIXED64),
            "end": (8, _OPTIONAL, _FIXED64),
            "attributes": (9, _REPEATED, _BYTES),
            "status": (15, _OPTIONAL, "Status"),
        },
    }
    for name, fields in shapes.items():
        message = file.message_type.add(name=name)
        for field, (number, label, kind) in fields.items():
            declared = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                declared.type = _MESSAGE  # type: ignore[assignment]  # an enum's number
                declared.type_name = f".{_PACKAGE}.{kind}"
            else:
                declared.type = kind  # type: ignore[assignment]  # as above
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made: type[Message] = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Request"))
    return made


_REQUEST: Final[Any] = _declare()


def spans_of(body: bytes) -> Iterator[RawSpan]:
    """The spans of a binary request. Raises DecodeError for what is none; a bad attribute is left out and counted."""
    for resource_spans in _REQUEST.FromString(body).resource_spans:
        resource, spoiled_above = words_of(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = cut(scope_spans.scope.name)
            for span in scope_spans.spans:
                status = span.status
                words, spoiled = words_of(span.attributes)
                yield RawSpan(
                    span.trace_id,
                    span.span_id,
                    span.parent_span_id,
                    cut(span.name),
                    span.start,
                    span.end,
                    status.code,
                    cut(status.message),
                    scope,
                    resource,
                    words,
                    spoiled + spoiled_above,
                )


def words_of(attributes: list[bytes]) -> tuple[dict[str, str | int], int]:
    """The attributes that are read, by their canonical words; and how many could not be read."""
    spoiled = 0
    found: dict[str, str | int] = {}
    ranks: dict[str, int] = {}
    for raw in attributes:
        # 0A LEN KEY 12 LEN VALUE, lengths of one byte for the key and up to two for the value, and nothing else.
        size = len(raw)
        if size > 4 and raw[0] == _KEY and raw[1] < _ONE_BYTE:  # noqa: PLR2004 -- the smallest such attribute
            behind = raw[1] + 2
            if behind + 1 < size and raw[behind] == _VALUE:
                length = raw[behind + 1]
                start = behind + 2
                if length >= _ONE_BYTE and start < size and raw[start] < _ONE_BYTE:
                    length = (length & 0x7F) | raw[start] << 7
                    start += 1
                if start + length == size and (length < _ONE_BYTE or start == behind + 3):
                    wanted = WANTED.get(raw[2:behind])
                    if wanted is not None:
                        try:
                            value = _value(raw[start:])
                        except DecodeError:
                            spoiled += 1
                            continue
                        if value is not None:
                            _put(found, ranks, wanted, value)
                    continue
        try:
            put_parsed(found, ranks, raw)
        except DecodeError:
            spoiled += 1
    return found, spoiled


def _put(found: dict[str, str | int], ranks: dict[str, int], wanted: tuple[str, int], value: str | int) -> None:
    word, rank = wanted
    if rank <= ranks.get(word, rank):
        found[word] = value
        ranks[word] = rank


def put_parsed(found: dict[str, str | int], ranks: dict[str, int], raw: bytes) -> None:
    """An attribute in another form than clients write: protobuf's own parser says what it is. Raises DecodeError."""
    pair = KeyValue.FromString(raw)
    wanted = WANTED.get(pair.key.encode())
    if wanted is not None and (value := _any_value(pair.value)) is not None:
        _put(found, ranks, wanted, value)


def _value(raw: bytes) -> str | int | None:
    """An AnyValue: text or a small number from its bytes, all else by protobuf's own parser. Raises DecodeError."""
    size = len(raw)
    if size > 1:
        kind, length = raw[0], raw[1]
        if kind == _STRING:
            start = 2
            if length >= _ONE_BYTE and size > 2 and raw[2] < _ONE_BYTE:  # noqa: PLR2004 -- a length of two bytes
                length = (length & 0x7F) | raw[2] << 7
                start = 3
            if start + length == size and (length < _ONE_BYTE or start == 3):  # noqa: PLR2004 -- as above
                return cut(raw[start:])
        elif kind == _INT and size == 2 and length < _ONE_BYTE:  # noqa: PLR2004 -- a number of one byte
            return length
    return _any_value(AnyValue.FromString(raw))


def _any_value(value: AnyValue) -> str | int | None:
    match value.WhichOneof("value"):
        case "string_value":
            return cut(value.string_value.encode())
        case "int_value":
            return value.int_value
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "double_value":
            return int(value.double_value) if value.double_value.is_integer() else str(value.double_value)
        case "array_value" | "kvlist_value" | "bytes_value":
            return value_text(value)
        case _:
            return None
