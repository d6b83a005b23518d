"""What the detector is told: spans encoded, content added, everything else redacted and bounded.

Spans that we enrich but did not start may carry anything their framework put there, and a tool's body can set
attributes on its own span; so whatever is not known to be plain metadata goes through the redactor too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from agentcop_core import attributes as names
from agentcop_core.locks import IMPORTING
from agentcop_processor.export.content import FIELD_BYTES, KEPT_TEXT, Content, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableSequence, Sequence

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.util.types import AttributeValue

    from agentcop_processor.export.content import ContentMode

_log = logging.getLogger("agentcop")

SPAN_BYTES: Final = 256 * 1024
"""Largest span that is sent; a larger one loses its events, then its unknown attributes."""

_SPAN_OVERHEAD: Final = 1024
_KEY_LENGTH: Final = 256
_DEPTH: Final = 8

_PLAIN: Final = frozenset(
    {
        names.OPERATION,
        names.AGENT_NAME,
        names.AGENT_ID,
        names.CONVERSATION_ID,
        names.TOOL_NAME,
        names.TOOL_CALL_ID,
        names.TOOL_TYPE,
        names.ERROR_TYPE,
        "exception.type",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.system",
        "mcp.method.name",
        "mcp.session.id",
        "process.runtime.name",
        "process.runtime.version",
    }
)
_PLAIN_PREFIXES: Final = (
    "agentcop.",
    "cloud.",
    "container.",
    "deployment.",
    "host.",
    "k8s.",
    "network.",
    "os.",
    "server.",
    "service.",
    "telemetry.",
)


class Waiting(NamedTuple):
    """A span on its way out."""

    span: ReadableSpan
    content: Content | None
    size: int
    """Bytes it holds in memory, about."""


def footprint(span: ReadableSpan, attributes: Mapping[str, object]) -> int:
    """Bytes that the span's texts hold in memory, about. On the caller's thread, so roughly."""
    size = _SPAN_OVERHEAD + len(span.name) + len(span.status.description or "")
    # A plain copy first: the SDK's own mapping costs a call a value.
    plain = attributes.copy() if isinstance(attributes, MappingProxyType) else attributes
    for value in plain.values():
        if type(value) is str:
            size += len(value)
        elif type(value) is not int and type(value) is not bool and type(value) is not float:
            size += _size(value)
    for event in span.events:
        size += _size(event.attributes)
    for link in span.links:
        size += _size(link.attributes)
    return size


def _size(value: object) -> int:
    """Of nested values; what is nested out of sight counts as too large."""
    todo, size = [value], 0
    while todo and size <= SPAN_BYTES:
        value = todo.pop()
        if isinstance(value, (str, bytes)):
            size += len(value)
        elif isinstance(value, Mapping):
            todo.extend(value.values())
            size += 64 * len(value)
        elif isinstance(value, (tuple, list)):
            todo.extend(value)
            size += 8 * len(value)
    return size


def slim(span: ReadableSpan) -> ReadableSpan:
    """A copy of a huge span that is cheap to keep: no events, no links, texts cut, other large values left out.

    The span still reaches the detector: a tool's body must not be able to hide a call by what it writes on its span.
    """
    with IMPORTING:
        from opentelemetry.sdk.trace import ReadableSpan as Copy
        from opentelemetry.trace import Status

    kept: dict[str, AttributeValue] = {}
    for key, value in (span.attributes or {}).items():
        if isinstance(value, str):
            # One character more than is redacted, so that the cut is seen and its edge thrown away.
            kept[key] = value[: KEPT_TEXT + 1]
        elif isinstance(value, (bool, int, float)):
            kept[key] = value
    return Copy(
        name=span.name[:FIELD_BYTES],
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=kept,
        kind=span.kind,
        status=Status(span.status.status_code, (span.status.description or "")[: KEPT_TEXT + 1] or None),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


class Encoded(NamedTuple):
    """Spans ready to be sent or spooled, and how many of the batch could not be made so."""

    request: ExportTraceServiceRequest
    spans: int
    failed: int


def encode(batch: Sequence[Waiting], default: ContentMode, redact: Callable[[str], str]) -> Encoded:
    """One request for the batch. Never raises; `redact` must not either. `default`: for spans without content."""
    with IMPORTING:
        from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    try:
        request = encode_spans([waiting.span for waiting in batch])
    except Exception:  # text that is no text, nesting without end: one span must not cost the others
        if len(batch) == 1:
            _log.exception("agentcop: a span could not be encoded for the detector")
            return Encoded(encode_spans([]), 0, 1)
        return _merged([encode([waiting], default, redact) for waiting in batch])
    contents = {span_id: waiting.content for waiting in batch if (span_id := _span_id(waiting.span)) is not None}
    try:
        for group in request.resource_spans:
            _scrub(group.resource.attributes, default, redact)
            for scoped in group.scope_spans:
                for span in scoped.spans:
                    _tell(span, contents.get(span.span_id), default, redact)
    except Exception:  # telemetry swallows its own faults; they are logged and counted
        # Half redacted is not redacted: nothing of it leaves.
        _log.exception("agentcop: spans could not be prepared for the detector")
        return Encoded(encode_spans([]), 0, len(batch))
    return Encoded(request, len(batch), 0)


def _merged(parts: list[Encoded]) -> Encoded:
    whole = parts[0].request
    for part in parts[1:]:
        whole.MergeFrom(part.request)
    return Encoded(whole, sum(part.spans for part in parts), sum(part.failed for part in parts))


def _span_id(span: ReadableSpan) -> bytes | None:
    context = span.get_span_context()
    return context.span_id.to_bytes(8, "big") if context is not None else None


def _tell(span: Span, content: Content | None, default: ContentMode, redact: Callable[[str], str]) -> None:
    mode = content.mode if content is not None else default
    span.name = shorten(span.name)
    _scrub(span.attributes, mode, redact)
    if span.status.message:
        span.status.message = "" if mode == "none" else shorten(span.status.message, _redactor(mode, redact))
    for event in span.events:
        event.name = shorten(event.name)
        _scrub(event.attributes, mode, redact)
    for link in span.links:
        _scrub(link.attributes, mode, redact)
    if content is not None and mode != "none":
        for key, text in (
            (names.TOOL_CALL_ARGUMENTS, content.arguments),
            (
                names.TOOL_CALL_RESULT,
                shorten(content.result, _redactor(mode, redact), length=content.result_length),
            ),
        ):
            if text:
                _set(span, key, text)
    if span.ByteSize() > SPAN_BYTES:
        _shrink(span)


def _redactor(mode: ContentMode, redact: Callable[[str], str]) -> Callable[[str], str] | None:
    return None if mode == "full" else redact


def _set(span: Span, key: str, text: str) -> None:
    """Set the attribute, in place of what a framework captured by itself."""
    for item in span.attributes:
        if item.key == key:
            item.value.string_value = text
            return
    span.attributes.add(key=key).value.string_value = text


def _shrink(span: Span) -> None:
    span.dropped_events_count += len(span.events)
    del span.events[:]
    span.dropped_links_count += len(span.links)
    del span.links[:]
    if span.ByteSize() > SPAN_BYTES:
        for index, item in _backwards(span.attributes):
            if not item.key.startswith(("agentcop.", "gen_ai.")):
                del span.attributes[index]
                span.dropped_attributes_count += 1
    # Several hundred fields of ours or the standard's, all at their limit: keep who, what and the verdict.
    if span.ByteSize() > SPAN_BYTES:
        for index, item in _backwards(span.attributes):
            if item.ByteSize() > _KEY_LENGTH:
                del span.attributes[index]
                span.dropped_attributes_count += 1


def _backwards(items: MutableSequence[KeyValue]) -> Iterator[tuple[int, KeyValue]]:
    for index in range(len(items) - 1, -1, -1):
        yield index, items[index]


def _scrub(attributes: MutableSequence[KeyValue], mode: ContentMode, redact: Callable[[str], str]) -> None:
    for index, item in _backwards(attributes):
        key = item.key
        plain = key in _PLAIN or key.startswith(_PLAIN_PREFIXES)
        if len(key) > _KEY_LENGTH or not _scrub_value(item.value, mode, plain, redact, _DEPTH):
            del attributes[index]


def _scrub_value(value: AnyValue, mode: ContentMode, plain: bool, redact: Callable[[str], str], depth: int) -> bool:  # noqa: FBT001 -- a private step of one walk
    """Make the value fit to leave; False if nothing of it may."""
    kind = value.WhichOneof("value")
    if kind in ("int_value", "bool_value", "double_value", None):
        return True
    if depth == 0 or (mode == "none" and not plain):
        return False
    if kind == "string_value":
        text = value.string_value
        if not plain and mode != "full":
            value.string_value = shorten(text, redact)
        elif len(text) * 4 > FIELD_BYTES:
            value.string_value = shorten(text)
        return True
    if kind == "array_value":
        return all(_scrub_value(item, mode, plain, redact, depth - 1) for item in value.array_value.values)
    if kind == "kvlist_value":
        return all(
            len(item.key) <= _KEY_LENGTH and _scrub_value(item.value, mode, plain, redact, depth - 1)
            for item in value.kvlist_value.values
        )
    return mode == "full" and len(value.bytes_value) <= FIELD_BYTES
