"""Requests as lines of OTLP/JSON, and back: ids in hex, enums as numbers, 64-bit integers as strings."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

_Json = dict[str, object]


def to_line(request: ExportTraceServiceRequest) -> bytes:
    """The request as one line without its newline."""
    return orjson.dumps({"resourceSpans": [_group(group) for group in request.resource_spans]})


def from_line(line: bytes) -> ExportTraceServiceRequest:
    """The request that a line holds; ValueError where it holds none. Fields of newer versions are passed over."""
    from google.protobuf.json_format import ParseDict, ParseError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    try:
        document = orjson.loads(line)
        for group in document.get("resourceSpans", ()):
            for scoped in group.get("scopeSpans", ()):
                for span in scoped.get("spans", ()):
                    _hex_to_base64(span)
                    for link in span.get("links", ()):
                        _hex_to_base64(link)
        return ParseDict(document, ExportTraceServiceRequest(), ignore_unknown_fields=True)
    except (ParseError, AttributeError, TypeError, RecursionError) as error:
        raise ValueError(f"not an OTLP/JSON request: {error}") from error


def _hex_to_base64(ids: dict[str, str]) -> None:
    for key in ("traceId", "spanId", "parentSpanId"):
        if key in ids:
            ids[key] = base64.b64encode(bytes.fromhex(ids[key])).decode()


def _full(**fields: object) -> _Json:
    """Only the fields that say something, as proto3's JSON does."""
    return {name: value for name, value in fields.items() if value}


def _group(group: ResourceSpans) -> _Json:
    fields = _full(schemaUrl=group.schema_url, scopeSpans=[_scoped(scoped) for scoped in group.scope_spans])
    if group.HasField("resource"):
        fields["resource"] = _full(
            attributes=_attributes(group.resource.attributes),
            droppedAttributesCount=group.resource.dropped_attributes_count,
        )
    return fields


def _scoped(scoped: ScopeSpans) -> _Json:
    fields = _full(schemaUrl=scoped.schema_url, spans=[_span(span) for span in scoped.spans])
    if scoped.HasField("scope"):
        fields["scope"] = _full(
            name=scoped.scope.name,
            version=scoped.scope.version,
            attributes=_attributes(scoped.scope.attributes),
            droppedAttributesCount=scoped.scope.dropped_attributes_count,
        )
    return fields


def _span(span: Span) -> _Json:
    fields = _full(
        traceState=span.trace_state,
        parentSpanId=span.parent_span_id.hex(),
        flags=span.flags,
        kind=int(span.kind),
        attributes=_attributes(span.attributes),
        droppedAttributesCount=span.dropped_attributes_count,
        events=[
            _full(
                timeUnixNano=_integer(event.time_unix_nano),
                name=event.name,
                attributes=_attributes(event.attributes),
                droppedAttributesCount=event.dropped_attributes_count,
            )
            for event in span.events
        ],
        droppedEventsCount=span.dropped_events_count,
        links=[
            _full(
                traceId=link.trace_id.hex(),
                spanId=link.span_id.hex(),
                traceState=link.trace_state,
                attributes=_attributes(link.attributes),
                droppedAttributesCount=link.dropped_attributes_count,
                flags=link.flags,
            )
            for link in span.links
        ],
        droppedLinksCount=span.dropped_links_count,
    )
    if span.HasField("status"):
        fields["status"] = _full(message=span.status.message, code=int(span.status.code))
    # Always there, even as zero: the spool counts spans by the start time.
    fields["traceId"] = span.trace_id.hex()
    fields["spanId"] = span.span_id.hex()
    fields["name"] = span.name
    fields["startTimeUnixNano"] = str(span.start_time_unix_nano)
    fields["endTimeUnixNano"] = str(span.end_time_unix_nano)
    return fields


def _integer(value: int) -> str:
    return str(value) if value else ""


def _attributes(attributes: Iterable[KeyValue]) -> list[_Json]:
    return [{"key": item.key, "value": _value(item.value)} for item in attributes]


def _value(value: AnyValue) -> _Json:  # noqa: PLR0911 -- one return a kind
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return {"stringValue": value.string_value}
    if kind == "int_value":
        return {"intValue": str(value.int_value)}
    if kind == "bool_value":
        return {"boolValue": value.bool_value}
    if kind == "double_value":
        return {"doubleValue": _double(value.double_value)}
    if kind == "array_value":
        return {"arrayValue": {"values": [_value(item) for item in value.array_value.values]}}
    if kind == "kvlist_value":
        return {"kvlistValue": {"values": _attributes(value.kvlist_value.values)}}
    if kind == "bytes_value":
        return {"bytesValue": base64.b64encode(value.bytes_value).decode()}
    return {}


def _double(value: float) -> float | str:
    """A number, or the words that JSON has no number for."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
