"""Spans as agents send them: described as steps, sent as OTLP, written to a segment log as the front does it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentcop_core import attributes as names
from agentcop_detectors.run import Run
from agentcop_detectors.segments.frame import Encoding, Frame
from agentcop_detectors.step import Step
from otlp_requests import as_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_detectors.segments.log import NotWritten, SegmentLog

SECOND = 1_000_000_000
START = 1_750_000_000 * SECOND

_NAMES = {
    "agent_id": names.COP_AGENT_ID,
    "session_id": names.COP_SESSION_ID,
    "environment": names.COP_ENVIRONMENT,
    "call_id": names.TOOL_CALL_ID,
    "verdict": names.COP_VERDICT,
    "rule": names.COP_RULE,
    "reason": names.COP_REASON,
    "mode": names.COP_MODE,
    "alert": names.COP_ALERT,
    "policy_digest": names.COP_POLICY_DIGEST,
    "log_head": names.COP_LOG_HEAD,
    "arguments": names.TOOL_CALL_ARGUMENTS,
}
_OPERATIONS = {"tool": names.EXECUTE_TOOL, "agent": names.INVOKE_AGENT, "model": names.CHAT}


def ident(number: int, size: int = 8) -> bytes:
    """A span id (or, of 16 bytes, a trace id) that is the same in every run of a test."""
    return number.to_bytes(size, "big")


def a_step(number: int = 1, **given: Any) -> Step:
    """A tool call of the agent `billing` in trace 1, one second long; anything may be said otherwise."""
    start = given.pop("start", START + number * SECOND)
    whole: dict[str, Any] = {
        "trace_id": ident(1, 16),
        "span_id": ident(number),
        "kind": "tool",
        "name": "search",
        "start": start,
        "end": start + SECOND,
        "agent_id": "billing",
        "service": "billing-service",
        "scope": "other",
    }
    return Step(**whole | given)


def a_run(*steps: Step, **given: Any) -> Run:
    """A run that holds these steps, as the assembler would have it."""
    run = Run(
        trace_id=steps[0].trace_id if steps else ident(1, 16),
        agent_id=steps[0].agent_id if steps else "",
        service="billing-service",
        started=min((step.start for step in steps), default=0),
        ended=max((step.end for step in steps), default=0),
        seen=max((step.end for step in steps), default=0) / SECOND + 1,
        steps=sorted(steps, key=lambda step: step.start),
        tool_calls=sum(step.kind == "tool" for step in steps),
        blocked=sum(step.verdict == "block" for step in steps),
        tokens=sum(step.input_tokens + step.output_tokens for step in steps),
    )
    for name, value in given.items():
        setattr(run, name, value)
    return run


def sent(steps: Iterable[Step]) -> ExportTraceServiceRequest:
    """The steps as one OTLP request, a resource and scope for each run of neighbours that share them."""
    made = ExportTraceServiceRequest()
    above: tuple[str, str] | None = None
    spans: Any = None
    for step in steps:
        if (step.service, step.scope) != above:
            above = (step.service, step.scope)
            resource = made.resource_spans.add()
            resource.resource.attributes.add(key="service.name").value.string_value = step.service
            scope = resource.scope_spans.add()
            scope.scope.name = step.scope
            spans = scope.spans
        span = spans.add(trace_id=step.trace_id, span_id=step.span_id, parent_span_id=step.parent_id, name=step.name)
        span.start_time_unix_nano, span.end_time_unix_nano = step.start, step.end
        words = {attribute: str(getattr(step, word)) for word, attribute in _NAMES.items() if getattr(step, word)}
        if step.kind in _OPERATIONS:
            words[names.OPERATION] = _OPERATIONS[step.kind]
        if step.kind == "tool":
            words[names.TOOL_NAME] = step.name
        for key, text in words.items():
            span.attributes.add(key=key).value.string_value = text
        for key, number in ((names.INPUT_TOKENS, step.input_tokens), (names.OUTPUT_TOKENS, step.output_tokens)):
            if number:
                span.attributes.add(key=key).value.int_value = number
    return made


def a_frame(steps: Sequence[Step], received: int = 0, *, json: bool = False, source: str = "") -> Frame:
    """The steps as the front keeps them; received, if nothing is said, when the last of them ended."""
    request = sent(steps)
    at = received or max(step.end for step in steps)
    if json:
        return Frame(Encoding.JSON, at, source, orjson.dumps(as_json(request)))
    return Frame(Encoding.PROTOBUF, at, source, request.SerializeToString())


def write(log: SegmentLog, frames: Iterable[Frame]) -> None:
    """Append, and wait until all are acknowledged."""
    failures: list[NotWritten] = []
    done = threading.Semaphore(0)

    def acknowledged(outcome: NotWritten | None) -> None:
        if outcome is not None:
            failures.append(outcome)
        done.release()

    count = 0
    for frame in frames:
        log.append(frame, acknowledged)
        count += 1
    for _ in range(count):
        assert done.acquire(timeout=60)
    assert failures == []
