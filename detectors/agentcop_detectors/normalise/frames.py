"""From a frame to its steps: what cannot be read is passed over span by span, and counted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from agentcop_detectors.normalise import json_form, protobuf
from agentcop_detectors.normalise.steps import Unusable, step_of
from agentcop_detectors.receive.skeleton import SKELETON
from agentcop_detectors.segments.frame import Encoding

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from agentcop_detectors.normalise.raw import RawSpan
    from agentcop_detectors.receive.tokens import Tokens
    from agentcop_detectors.segments.frame import Frame
    from agentcop_detectors.step import Step

_log = logging.getLogger("agentcop")

Counted = Literal["steps", "poisoned", "spoiled", "unusable", "foreign"]
"""`steps`: spans that were read. `poisoned`: spans that could not be, or whole requests. `spoiled`: attributes.
`unusable`: spans without ids. `foreign`: spans about an agent that the sender's token does not speak for."""


def steps_of(frame: Frame, tokens: Tokens | None, counts: Counter[Counted]) -> Iterator[Step]:
    """The steps of a frame, in the order of its spans; whatever is wrong with it is added to `counts`. Never raises."""
    for span in _spans_of(frame, counts):
        if span.spoiled:
            counts["spoiled"] += span.spoiled
        try:
            step = step_of(span)
        except Unusable:
            counts["unusable"] += 1
            continue
        if tokens is not None and not tokens.speaks_for(frame.source, step.agent_id or step.service):
            counts["foreign"] += 1
            continue
        counts["steps"] += 1
        yield step


def trace_ids(frame: Frame) -> set[bytes]:
    """The trace ids of a frame's spans, without reading more of them. Empty for a frame that cannot be read."""
    try:
        if frame.encoding is Encoding.JSON:
            return {span.trace_id for span in json_form.spans_of(frame.body)}
        request = SKELETON.FromString(frame.body)
    except (DecodeError, ValueError):
        return set()
    found: set[bytes] = set()
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                try:
                    found.add(_ID.FromString(span).trace_id)
                except DecodeError:
                    continue
    return {trace_id for trace_id in found if len(trace_id) == _ID_BYTES}


def _spans_of(frame: Frame, counts: Counter[Counted]) -> Iterator[RawSpan]:
    try:
        if frame.encoding is Encoding.JSON:
            yield from json_form.spans_of(frame.body)
            return
        spans = list(protobuf.spans_of(frame.body))
    except DecodeError:
        spans = list(_one_by_one(frame.body, counts))
    except (ValueError, RecursionError):
        counts["poisoned"] += 1
        _log.exception("agentcop: an acknowledged request cannot be read; it is passed over")
        return
    yield from spans


def _one_by_one(body: bytes, counts: Counter[Counted]) -> Iterator[RawSpan]:
    """Each span of a request that as a whole cannot be read; a span that alone cannot be either is counted."""
    try:
        request = SKELETON.FromString(body)
    except DecodeError:
        counts["poisoned"] += 1
        _log.error("agentcop: an acknowledged request is no request; it is passed over")
        return
    bad = 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                alone = SKELETON()
                above = alone.resource_spans.add(resource=resource.resource)
                above.scope_spans.add(scope=scope.scope, spans=[span])
                try:
                    yield from list(protobuf.spans_of(alone.SerializeToString()))
                except DecodeError:
                    bad += 1
    counts["poisoned"] += bad
    _log.warning("agentcop: %d spans of an acknowledged request cannot be read; they are passed over", bad)


def without(frame: Frame, traces: set[bytes]) -> Frame | None:
    """The frame without the spans of some traces; None if nothing is left. What cannot be read is left out too."""
    if frame.encoding is Encoding.JSON:
        body = _json_without(frame.body, traces)
    else:
        body = _protobuf_without(frame.body, traces)
    return frame._replace(body=body) if body is not None else None


def _protobuf_without(body: bytes, traces: set[bytes]) -> bytes | None:
    try:
        request = SKELETON.FromString(body)
    except DecodeError:
        return None
    left = 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            kept = [span for span in scope.spans if _trace_of(span) not in traces]
            left += len(kept)
            del scope.spans[:]
            scope.spans.extend(kept)
    return bytes(request.SerializeToString()) if left else None


def _trace_of(span: bytes) -> bytes:
    try:
        return bytes(_ID.FromString(span).trace_id)
    except DecodeError:
        return b""


def _json_without(body: bytes, traces: set[bytes]) -> bytes | None:
    ids = {trace_id.hex() for trace_id in traces}
    left = 0
    try:
        request = orjson.loads(body)
        for resource in request["resourceSpans"]:
            for scope in resource.get("scopeSpans", []):
                scope["spans"] = [
                    span for span in scope.get("spans", []) if str(span.get("traceId", "")).lower() not in ids
                ]
                left += len(scope["spans"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return orjson.dumps(request) if left else None


def _declare() -> Any:  # noqa: ANN401 -- a message class made at run time has no type to name
    file = descriptor_pb2.FileDescriptorProto(name="agentcop/id.proto", package="agentcop.id", syntax="proto3")
    field = file.message_type.add(name="Span").field.add(name="trace_id", number=1, label=1)
    field.type = 12  # type: ignore[assignment]  # TYPE_BYTES
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("agentcop.id.Span"))


_ID: Final = _declare()
_ID_BYTES: Final = 16
