"""OTLP requests as clients make them."""

from __future__ import annotations

import os
import time
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_BYTES = ("traceId", "spanId", "parentSpanId")


def request(spans: int = 1, *, text: str = "v", trace: bytes = b"") -> ExportTraceServiceRequest:
    """So many spans of one trace, each with one attribute `text`."""
    made = ExportTraceServiceRequest()
    resource = made.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "billing"
    scope = resource.scope_spans.add()
    scope.scope.name = "test"
    trace = trace or os.urandom(16)
    now = time.time_ns()
    for number in range(spans):
        span = scope.spans.add(trace_id=trace, span_id=os.urandom(8), name=f"span {number}")
        span.start_time_unix_nano, span.end_time_unix_nano = now, now + 1_000
        span.attributes.add(key="text").value.string_value = text
    return made


def as_json(made: ExportTraceServiceRequest) -> dict[str, Any]:
    """The request as OTLP/JSON: ids in hex, as OTLP says, not in base64."""
    found: dict[str, Any] = MessageToDict(made)
    for resource, raw in zip(found["resourceSpans"], made.resource_spans, strict=True):
        for scope, raw_scope in zip(resource["scopeSpans"], raw.scope_spans, strict=True):
            for span, raw_span in zip(scope["spans"], raw_scope.spans, strict=True):
                ids = (raw_span.trace_id, raw_span.span_id, raw_span.parent_span_id)
                for name, value in zip(_BYTES, ids, strict=True):
                    if value:
                        span[name] = value.hex()
    return found
