"""Provider rules: one verdict whatever becomes of the span, and the application's own traces as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBasedTraceIdRatio, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from telemetry import application_provider, global_provider

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RAN: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def search(query: str) -> str:
    RAN.append(query)
    return query


def wipe(path: str) -> str:
    RAN.append(path)
    return path


def judged(home: Path) -> tuple[list[str], set[str]]:
    """Call an allowed and a blocked tool; the verdicts and who gave them, from gate.log."""
    cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["search"]))
    cop.tool(search)("x")
    with pytest.raises(PolicyBlocked):
        cop.tool(wipe)("/")
    assert RAN == ["x"]
    decisions = gatefile.lines(home, "decision")
    return [line["verdict"] for line in decisions], {line["decided_by"] for line in decisions}


BOTH = ["allow", "block"]


def test_without_a_provider_the_private_one_lets_the_span_processor_judge(agentcop_home: Path) -> None:
    assert judged(agentcop_home) == (BOTH, {"span_processor"})
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider), "the global provider is never set"


def test_our_spans_stand_in_the_applications_trace_with_their_verdicts(agentcop_home: Path) -> None:
    with application_provider() as exporter:
        with trace.get_tracer("app").start_as_current_span("request"):
            assert judged(agentcop_home) == (BOTH, {"span_processor"})
        blocked, request = exporter.get_finished_spans()[-2:]
        assert blocked.name == "execute_tool wipe"
        assert blocked.parent is not None
        assert request.context is not None
        assert blocked.parent.span_id == request.context.span_id
        attributes = dict(blocked.attributes or {})
        assert attributes["agentcop.verdict"] == "block"
        assert attributes["agentcop.rule"] == "gate.default"
        assert attributes["gen_ai.tool.name"] == "wipe"
        assert blocked.status.status_code is trace.StatusCode.ERROR
        assert "gen_ai.tool.call.arguments" not in attributes, "content needs OpenTelemetry's own switch"
        decision = gatefile.lines(agentcop_home, "decision")[-1]
        assert attributes["agentcop.gate.log.head"].startswith(f"{decision['w']}:{decision['n']}:")  # type: ignore[union-attr]  # a string


def test_a_provider_that_appears_after_arming_is_found() -> None:
    cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["search"]))
    guarded = cop.tool(search)
    guarded("before")
    with application_provider() as exporter:
        guarded("after")
        assert [span.name for span in exporter.get_finished_spans()] == ["execute_tool search"]


@pytest.mark.parametrize("sampler", [ALWAYS_OFF, TraceIdRatioBased(0), ParentBasedTraceIdRatio(0)])
def test_a_sampler_that_drops_the_span_drops_no_verdict(sampler: Any, agentcop_home: Path) -> None:
    with application_provider(sampler) as exporter:
        verdicts, _ = judged(agentcop_home)
        assert verdicts == BOTH
        assert exporter.get_finished_spans() == (), "what the application dropped stays dropped"


def test_under_a_remote_callers_unsampled_trace_the_call_is_judged_and_the_flag_is_kept(agentcop_home: Path) -> None:
    remote = SpanContext(trace_id=1 << 100, span_id=1 << 40, is_remote=True, trace_flags=TraceFlags(0))
    token = context_api.attach(trace.set_span_in_context(NonRecordingSpan(remote)))
    flags: list[bool] = []
    try:
        with application_provider(ParentBasedTraceIdRatio(1)) as exporter:
            assert judged(agentcop_home)[0] == BOTH
            cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["look"]))

            def look() -> None:
                flags.append(trace.get_current_span().get_span_context().trace_flags.sampled)
                with trace.get_tracer("app").start_as_current_span("inside"):
                    pass

            cop.tool(look)()
            assert exporter.get_finished_spans() == ()
    finally:
        context_api.detach(token)
    assert flags == [False], "an application span inside must not become sampled by ours"


class Raising(SpanProcessor):
    def on_start(self, span: object, parent_context: object = None) -> None:
        raise RuntimeError("a processor of the application fails")


class RaisingLate(SpanProcessor):
    def on_end(self, span: object) -> None:
        raise RuntimeError("a processor of the application fails")


class Nothing(trace.TracerProvider):
    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return trace.NoOpTracer()


def _raising() -> trace.TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(Raising())
    return provider


def _raising_late() -> trace.TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(RaisingLate())
    return provider


def _cut() -> trace.TracerProvider:
    return TracerProvider(span_limits=SpanLimits(max_span_attributes=1, max_attribute_length=1))


@pytest.mark.parametrize(
    "provider", [_raising, _raising_late, Nothing, _cut], ids=["raising", "raising late", "no-op", "limits"]
)
def test_a_broken_or_cut_pipeline_changes_no_verdict(
    provider: Callable[[], trace.TracerProvider], agentcop_home: Path
) -> None:
    with global_provider(provider()):
        assert judged(agentcop_home)[0] == BOTH
    assert [line["outcome"] for line in gatefile.lines(agentcop_home, "outcome")] == ["ok"]


def test_a_refusal_names_its_rule_though_the_applications_pipeline_raises_at_the_end_of_its_span() -> None:
    cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["search"]))
    with global_provider(_raising_late()), pytest.raises(PolicyBlocked) as refused:
        cop.tool(wipe)("/")
    assert refused.value.rule == "gate.default"
    assert cop.counts()["blocked"] == 1


def test_a_provider_that_cannot_be_had_changes_no_verdict(agentcop_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_PYTHON_TRACER_PROVIDER", "no such provider")
    assert judged(agentcop_home)[0] == BOTH


def test_a_disabled_sdk_leaves_the_seam_to_decide(agentcop_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert judged(agentcop_home) == (BOTH, {"seam"})


def test_under_strict_a_broken_pipeline_blocks(agentcop_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["search"], strict=True))
    with pytest.raises(PolicyBlocked) as refused:
        cop.tool(search)("x")
    assert refused.value.rule == "gate.strict"
    assert RAN == []


def test_the_applications_spans_are_the_same_with_and_without_us() -> None:
    def application(tool: Callable[[str], str]) -> list[str]:
        with application_provider() as exporter:
            with trace.get_tracer("app").start_as_current_span("request"):
                tool("x")
                with trace.get_tracer("app").start_as_current_span("after"):
                    pass
            return [
                f"{span.name} {span.status.status_code}"
                for span in exporter.get_finished_spans()
                if span.instrumentation_scope is not None and span.instrumentation_scope.name == "app"
            ]

    cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["search"]))
    assert application(cop.tool(search)) == application(search)


def test_a_second_provider_of_the_application_gets_our_processor_too(agentcop_home: Path) -> None:
    with application_provider():
        judged(agentcop_home)
    RAN.clear()
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with global_provider(provider):
        cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["search"]))
        cop.tool(search)("x")
        cop.tool(search)("y")
    assert [dict(span.attributes or {})["agentcop.decided_by"] for span in exporter.get_finished_spans()] == [
        "span_processor",
        "span_processor",
    ]


def test_arguments_are_on_the_applications_spans_only_by_opentelemetrys_own_switch(
    monkeypatch: pytest.MonkeyPatch, agentcop_home: Path
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "span_only")
    with application_provider() as exporter:
        cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["search"]))
        cop.tool(search)("x")
        (span,) = exporter.get_finished_spans()
    assert dict(span.attributes or {})["gen_ai.tool.call.arguments"] == '{"query":"x"}'
