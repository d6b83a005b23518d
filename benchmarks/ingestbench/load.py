"""What agents send: seeded runs of eight spans, in OTLP requests of any size, made before the clock runs.

A span is what our own exporter sends with content on: about 850 bytes, 17 attributes on a tool call.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentcop_core import attributes as names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

RUN_SPANS: Final = 8
_TOOLS: Final = ("search_orders", "read_mail", "send_mail", "refund", "lookup_customer")
_SECOND: Final = 1_000_000_000
_CONTENT: Final = '{"order":"o-%d","amount":12.5,"note":"' + "n" * 120 + '"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One request."""

    body: bytes
    spans: int


def batches(*, spans: int, size: int, agents: int, run: int = RUN_SPANS, seed: int = 1) -> Iterator[Batch]:
    """About so many spans in requests of `size`: runs of `run` spans one after the other, agents in turn."""
    dice = random.Random(seed)  # noqa: S311 -- the same load every time
    request, scope = _request()
    count = 0
    for number in range(-(-spans // run)):
        for span in _run(dice, f"agent-{number % agents}", run):
            scope.append(span)
            count += 1
            if count == size:
                yield Batch(body=request.SerializeToString(), spans=count)
                request, scope = _request()
                count = 0
    if count:
        yield Batch(body=request.SerializeToString(), spans=count)


def _request() -> tuple[ExportTraceServiceRequest, list[Span]]:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    for key, value in (
        ("service.name", "billing"),
        ("service.instance.id", "b-1"),
        ("telemetry.sdk.language", "python"),
        ("telemetry.sdk.name", "opentelemetry"),
        ("telemetry.sdk.version", "1.45.2"),
        ("deployment.environment.name", "production"),
    ):
        resource.resource.attributes.add(key=key).value.string_value = value
    scope = resource.scope_spans.add()
    scope.scope.name = names.SCOPE
    return request, scope.spans  # type: ignore[return-value]  # protobuf's own list


def _run(dice: random.Random, agent: str, spans: int) -> Iterator[Span]:
    """Questions to the model and tool calls in turn, the agent's own span last, as they end."""
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    trace, root, session = dice.randbytes(16), dice.randbytes(8), f"s-{dice.getrandbits(48):012x}"
    start = time.time_ns() - 10 * _SECOND
    for number in range(spans - 1):
        at = start + number * _SECOND
        span = Span(trace_id=trace, span_id=dice.randbytes(8), parent_span_id=root)
        span.start_time_unix_nano, span.end_time_unix_nano = at, at + _SECOND // 2
        if number % 2:
            _tool(span, dice, agent, session, number)
        else:
            _model(span, agent, session)
        yield span
    ended = Span(trace_id=trace, span_id=root, name=f"invoke_agent {agent}")
    ended.start_time_unix_nano, ended.end_time_unix_nano = start, start + spans * _SECOND
    _add(ended, {names.OPERATION: names.INVOKE_AGENT, names.AGENT_NAME: agent, **_ours(agent, session)})
    yield ended


def _ours(agent: str, session: str) -> dict[str, str]:
    return {names.COP_AGENT_ID: agent, names.COP_SESSION_ID: session, names.CONVERSATION_ID: session}


def _model(span: Span, agent: str, session: str) -> None:
    span.name = "chat gpt-4o"
    _add(
        span,
        {
            names.OPERATION: names.CHAT,
            **_ours(agent, session),
            names.REQUEST_MODEL: "gpt-4o",
            names.RESPONSE_MODEL: "gpt-4o-2026-08-06",
            names.PROVIDER_NAME: "openai",
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"' + "w" * 300 + '"}]}]',
        },
    )
    for key, number in ((names.INPUT_TOKENS, 1_100), (names.OUTPUT_TOKENS, 70)):
        span.attributes.add(key=key).value.int_value = number


def _tool(span: Span, dice: random.Random, agent: str, session: str, number: int) -> None:
    tool = _TOOLS[dice.randrange(len(_TOOLS))]
    span.name = f"execute_tool {tool}"
    digest = f"{dice.getrandbits(256):064x}"
    _add(
        span,
        {
            names.OPERATION: names.EXECUTE_TOOL,
            names.TOOL_NAME: tool,
            names.TOOL_CALL_ID: f"call_{dice.getrandbits(48):012x}",
            names.TOOL_TYPE: "function",
            **_ours(agent, session),
            names.COP_VERDICT: "allow",
            names.COP_RULE: "gate.allow[0]",
            names.COP_DECIDED_BY: "span_processor",
            names.COP_MODE: "enforce",
            names.COP_POLICY_DIGEST: "d" * 64,
            names.COP_POLICY_VERSION: "1.0",
            names.COP_CALL_DIGEST: digest,
            # A writer of its own for each run, as each process has one.
            names.COP_LOG_HEAD: f"{session}:{number}:{digest}",
            names.TOOL_CALL_ARGUMENTS: _CONTENT % dice.randrange(10**6),
            names.TOOL_CALL_RESULT: "refunded 12.5 " + "r" * 60,
        },
    )


def _add(span: Span, words: dict[str, str]) -> None:
    for key, value in words.items():
        span.attributes.add(key=key).value.string_value = value
