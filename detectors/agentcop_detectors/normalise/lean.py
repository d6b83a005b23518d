"""OTLP's messages redeclared for reading: texts and attributes as bytes, and no field that nobody reads.

It is the same on the wire. upb then skips what is not read, and text that is no UTF-8 spoils nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

if TYPE_CHECKING:
    from google.protobuf.descriptor_pool import DescriptorPool

_PACKAGE: Final = "agentcop.lean"
_OPTIONAL, _REPEATED, _CHOICE = 1, 3, 0
_DOUBLE, _INT64, _INT32, _FIXED64, _BOOL, _MESSAGE, _BYTES = 1, 3, 5, 6, 8, 11, 12

_SHAPES: Final[dict[str, dict[str, tuple[int, int, int | str]]]] = {
    "Request": {"resource_spans": (1, _REPEATED, "ResourceSpans")},
    "ResourceSpans": {"resource": (1, _OPTIONAL, _BYTES), "scope_spans": (2, _REPEATED, "ScopeSpans")},
    "Resource": {"attributes": (1, _REPEATED, _BYTES)},
    "ScopeSpans": {"scope": (1, _OPTIONAL, "Scope"), "spans": (2, _REPEATED, "Span")},
    "Scope": {"name": (1, _OPTIONAL, _BYTES)},
    "Status": {"message": (2, _OPTIONAL, _BYTES), "code": (3, _OPTIONAL, _INT32)},
    "Event": {"name": (2, _OPTIONAL, _BYTES), "attributes": (3, _REPEATED, _BYTES)},
    "Span": {
        "trace_id": (1, _OPTIONAL, _BYTES),
        "span_id": (2, _OPTIONAL, _BYTES),
        "parent_span_id": (4, _OPTIONAL, _BYTES),
        "name": (5, _OPTIONAL, _BYTES),
        "kind": (6, _OPTIONAL, _INT32),
        "start": (7, _OPTIONAL, _FIXED64),
        "end": (8, _OPTIONAL, _FIXED64),
        "attributes": (9, _REPEATED, _BYTES),
        "events": (11, _REPEATED, _BYTES),
        "status": (15, _OPTIONAL, "Status"),
    },
    "Pair": {"key": (1, _OPTIONAL, _BYTES), "value": (2, _OPTIONAL, "Value")},
    "List": {"values": (1, _REPEATED, "Value")},
    "Map": {"values": (1, _REPEATED, "Pair")},
    "Value": {
        "string_value": (1, _CHOICE, _BYTES),
        "bool_value": (2, _CHOICE, _BOOL),
        "int_value": (3, _CHOICE, _INT64),
        "double_value": (4, _CHOICE, _DOUBLE),
        "array_value": (5, _CHOICE, "List"),
        "kvlist_value": (6, _CHOICE, "Map"),
        "bytes_value": (7, _CHOICE, _BYTES),
    },
}


def _declare() -> DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="agentcop/lean.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _SHAPES.items():
        message = file.message_type.add(name=name)
        for field, (number, label, kind) in fields.items():
            declared = message.field.add(name=field, number=number, label=label or _OPTIONAL)
            if label == _CHOICE:
                if not message.oneof_decl:
                    message.oneof_decl.add(name="value")
                declared.oneof_index = 0
            if isinstance(kind, str):
                declared.type = _MESSAGE  # type: ignore[assignment]  # an enum's number
                declared.type_name = f".{_PACKAGE}.{kind}"
            else:
                declared.type = kind  # type: ignore[assignment]  # as above
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


_POOL: Final = _declare()


def _message(name: str) -> Any:  # noqa: ANN401 -- a message class made at run time has no type to name
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


REQUEST: Final = _message("Request")
RESOURCE: Final = _message("Resource")
EVENT: Final = _message("Event")
PAIR: Final = _message("Pair")
