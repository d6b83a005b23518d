"""Recorded spans as an outline of their steps, which a test can be compared with by eye."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentcop_detectors.normalise import json_form, protobuf
from agentcop_detectors.normalise.steps import step_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentcop_detectors.step import Step

FIXTURES = Path(__file__).parents[1] / "detectors" / "fixtures" / "spans"
"""Spans of real libraries as OTLP/JSON, a file a program of `tests/detectors/fixtures/record`."""


def recorded(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def recorded_steps(name: str) -> list[Step]:
    return [step_of(span) for span in json_form.spans_of(recorded(name))]


def binary(body: bytes) -> bytes:
    """A JSON request as a binary one, by protobuf's own reading; ids in JSON are hex there, base64 here."""
    import base64
    import json

    request = json.loads(body)
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
                    span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return ParseDict(request, ExportTraceServiceRequest()).SerializeToString()


def binary_steps(name: str) -> list[Step]:
    return [step_of(span) for span in protobuf.spans_of(binary(recorded(name)))]


def outline(steps: Iterable[Step], *, others: bool = False) -> str:
    """A line a step in its place in the tree; `others`: also those that are none of the kinds that are looked at."""
    there = sorted(steps, key=lambda step: (step.start, step.span_id))
    ids = {step.span_id for step in there}
    below: dict[bytes, list[Step]] = {}
    for step in there:
        below.setdefault(step.parent_id if step.parent_id in ids else b"", []).append(step)
    return "\n".join(_lines(below, b"", 0, others=others))


def _lines(below: dict[bytes, list[Step]], parent: bytes, depth: int, *, others: bool) -> Iterator[str]:
    for step in below.get(parent, []):
        shown = others or step.kind != "other"
        if shown:
            yield "  " * depth + _line(step)
        yield from _lines(below, step.span_id, depth + shown, others=others)


def _line(step: Step) -> str:
    parts = [f"{step.kind} {step.name}"]
    if step.agent_id and step.kind != "agent":
        parts.append(f"of {step.agent_id}")
    if step.kind == "model":
        parts.append(f"{step.input_tokens}+{step.output_tokens}")
    if step.arguments:
        parts.append(f"{step.arguments} -> {step.result[:40]}" if step.result else step.arguments)
    if step.call_id:
        parts.append(f"[{step.call_id}]")
    if step.verdict:
        parts.append(f"{step.verdict} by {step.rule}")
    if step.error or step.status == "error":
        parts.append(f"failed: {step.error}")
    return " ".join(parts)
