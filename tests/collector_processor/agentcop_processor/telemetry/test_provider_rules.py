"""Whatever an application makes of OpenTelemetry: one verdict, each gate span once, its own traces as without us."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    ParentBased,
    ParentBasedTraceIdRatio,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from agentcop_core import attributes as names
from exporting import spooled
from receivers import attributes_of
from telemetry import global_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GATE = "execute_tool"


class OfOurs(Sampler):
    """Says `decision` of the gate's spans, and takes all others as a parent-based sampler does."""

    def __init__(self, decision: Decision) -> None:
        self._decision, self._others = decision, ParentBased(ALWAYS_ON)

    def should_sample(self, parent_context: Any, trace_id: int, name: str, *rest: Any, **more: Any) -> SamplingResult:
        if name.startswith(GATE):
            return SamplingResult(self._decision)
        return self._others.should_sample(parent_context, trace_id, name, *rest, **more)

    def get_description(self) -> str:
        return "of ours"


class Raising(SpanProcessor):
    """Raises for the gate's spans."""

    def __init__(self, when: str) -> None:
        self._when = when

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self._raise("start", span)

    def on_end(self, span: Any) -> None:
        self._raise("end", span)

    def _raise(self, when: str, span: Any) -> None:
        if when == self._when and span.name.startswith(GATE):
            raise RuntimeError("a processor of the application fails")


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """How an application sets OpenTelemetry up, and what comes of it."""

    sampler: Sampler | None = None
    limits: SpanLimits | None = None
    raises: str = ""
    """A processor that stands before the exporter."""
    raises_after: str = ""
    """One that stands after it."""
    remote: bool = False
    """Called by somebody whose trace is not sampled."""
    disabled: bool = False
    broken: str = ""
    """What becomes of the provider once it has been used."""
    has_provider: bool = True
    loses_ours: bool = False
    """Its own exporter is never told that a gate span has ended, nor would it be of a span of its own."""
    exported: int = 2
    """Gate spans that the application's exporter gets, of an allowed and a blocked call."""
    detected: int = 2
    """Those that the detector gets."""
    decided_by: frozenset[str] = frozenset({"span_processor"})


DECIDED_BY_SEAM = frozenset({"seam"})
APPLICATIONS = {
    "its own provider": Application(),
    "no provider": Application(has_provider=False, exported=0),
    "always off": Application(sampler=ALWAYS_OFF, exported=0),
    "ratio 0": Application(sampler=TraceIdRatioBased(0), exported=0),
    "parent-based ratio 0": Application(sampler=ParentBasedTraceIdRatio(0), exported=0),
    "a remote caller that is not sampled": Application(sampler=ParentBased(ALWAYS_ON), remote=True, exported=0),
    "a sampler that drops ours": Application(sampler=OfOurs(Decision.DROP), exported=0),
    "a sampler that only records ours": Application(sampler=OfOurs(Decision.RECORD_ONLY), exported=0),
    "a sampler that takes the attributes away": Application(sampler=OfOurs(Decision.RECORD_AND_SAMPLE)),
    "one attribute of one character": Application(limits=SpanLimits(max_span_attributes=1, max_attribute_length=1)),
    "no attribute at all": Application(limits=SpanLimits(max_span_attributes=0)),
    "an earlier processor that raises at the start": Application(raises="start", exported=0),
    "a later processor that raises at the start": Application(raises_after="start", exported=0),
    "an earlier processor that raises at the end": Application(raises="end", exported=0, loses_ours=True),
    "a later processor that raises at the end": Application(raises_after="end"),
    "a provider that was shut down": Application(broken="shutdown", exported=0),
    "processors that were cleared": Application(broken="cleared", exported=0, decided_by=DECIDED_BY_SEAM),
    "a provider that was replaced": Application(broken="replaced"),
    "a disabled SDK": Application(disabled=True, exported=0, detected=0, decided_by=DECIDED_BY_SEAM),
}


class Traces:
    """What the application's exporters got, the first provider's and its successor's."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.second = InMemorySpanExporter()

    @property
    def spans(self) -> list[ReadableSpan]:
        return [*self.exporter.get_finished_spans(), *self.second.get_finished_spans()]

    @property
    def gate_spans(self) -> list[ReadableSpan]:
        return [span for span in self.spans if _scope(span) == names.SCOPE]

    def own(self) -> list[tuple[object, ...]]:
        """The application's spans by name, parent, attributes and status; a gate span between two is looked through."""
        by_id = {span.context.span_id: span for span in self.spans if span.context is not None}

        def parent_of(span: ReadableSpan) -> str:
            if span.parent is None or span.parent.is_remote:
                return "remote" if span.parent is not None else ""
            parent = by_id.get(span.parent.span_id)
            if parent is None:
                return "nobody exports it"
            return parent_of(parent) if _scope(parent) == names.SCOPE else parent.name

        own = [span for span in self.spans if _scope(span) != names.SCOPE]
        return [(span.name, parent_of(span), dict(span.attributes or {}), span.status.status_code) for span in own]


def _scope(span: ReadableSpan) -> str:
    return span.instrumentation_scope.name if span.instrumentation_scope is not None else ""


def _provider(application: Application, exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(
        sampler=application.sampler or ALWAYS_ON,
        span_limits=application.limits or SpanLimits(),
        shutdown_on_exit=False,
    )
    if application.raises:
        provider.add_span_processor(Raising(application.raises))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    if application.raises_after:
        provider.add_span_processor(Raising(application.raises_after))
    return provider


@contextmanager
def _remote_caller() -> Iterator[None]:
    remote = SpanContext(trace_id=1 << 100, span_id=1 << 40, is_remote=True, trace_flags=TraceFlags(0))
    token = context_api.attach(trace.set_span_in_context(NonRecordingSpan(remote)))
    try:
        yield
    finally:
        context_api.detach(token)


@contextmanager
def running(application: Application, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traces]:
    """The application, after its first use of OpenTelemetry and of the gate."""
    traces = Traces()
    if application.disabled:
        monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with ExitStack() as stack:
        if application.has_provider:
            provider = _provider(application, traces.exporter)
            stack.enter_context(global_provider(provider))
            AgentCop(agent_id="first", policy=GatePolicy(allow=["look"]), monitor=False).tool(look)()
            traces.exporter.clear()
            if application.broken == "shutdown":
                provider.shutdown()
            elif application.broken == "cleared":
                provider._active_span_processor._span_processors = ()  # noqa: SLF001 -- as people do
            elif application.broken == "replaced":
                stack.enter_context(global_provider(_provider(application, traces.second)))
        if application.remote:
            stack.enter_context(_remote_caller())
        yield traces


def look() -> None:
    """A tool."""


def work(search: Callable[[str], str], wipe: Callable[[str], str]) -> None:
    """What the application does: a request in which tools are called, with spans of its own around and inside."""
    tracer = trace.get_tracer("application")
    with tracer.start_as_current_span("request", attributes={"route": "/"}):
        assert search("x") == "found"
        with suppress(PolicyBlocked):
            wipe("/")
        with tracer.start_as_current_span("after"):
            pass


def found(query: str) -> str:
    with trace.get_tracer("application").start_as_current_span("inside", attributes={"query": query}):
        return "found"


@pytest.mark.parametrize("name", APPLICATIONS)
def test_one_verdict_each_gate_span_once_and_the_applications_traces_as_without_us(
    name: str, monkeypatch: pytest.MonkeyPatch, agentcop_home: Path
) -> None:
    application = APPLICATIONS[name]
    with running(application, monkeypatch) as without:
        work(found, lambda path: path)
    ran: list[str] = []
    with running(application, monkeypatch) as traces:
        cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["search"]))
        work(cop.tool(found, name="search"), cop.tool(ran.append, name="wipe"))  # type: ignore[arg-type]  # it never runs
        cop.flush()
    assert ran == []

    decisions = [line for line in gatefile.lines(agentcop_home, "decision") if line["agent"] == "a"]
    assert [(line["tool"], line["verdict"]) for line in decisions] == [("search", "allow"), ("wipe", "block")]
    assert {line["decided_by"] for line in decisions} == application.decided_by
    assert cop.counts().get("decided_by_seam", 0) == (2 if application.decided_by == DECIDED_BY_SEAM else 0)

    assert [span.name for span in traces.gate_spans] == ["execute_tool search", "execute_tool wipe"][
        : application.exported
    ]
    if application.loses_ours:
        assert [each[0] for each in traces.own()] == [each[0] for each in without.own()]
    else:
        assert traces.own() == without.own()

    detected = spooled(agentcop_home)
    assert len({span.span_id for span in detected}) == len(detected)
    shown = [attributes_of(span) for span in detected]
    assert [(each["gen_ai.tool.name"], each["agentcop.verdict"]) for each in shown] == [
        ("search", "allow"),
        ("wipe", "block"),
    ][: application.detected]
    for each, line in zip(shown, decisions, strict=False):
        assert each["gen_ai.operation.name"] == GATE
        assert each["agentcop.call.digest"] == line["digest"]
        assert each["agentcop.gate.log.head"].startswith(f"{line['w']}:{line['n']}:")


def test_a_provider_that_comes_late_is_used_from_then_on_and_no_span_goes_twice(agentcop_home: Path) -> None:
    cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["search"]))
    guarded = cop.tool(found, name="search")
    guarded("before")
    traces = Traces()
    with global_provider(_provider(Application(), traces.exporter)):
        guarded("after")
        cop.flush()
    assert len(traces.gate_spans) == 1
    assert len(spooled(agentcop_home)) == 2


def test_under_a_span_of_a_second_provider_the_gates_span_is_its_child(agentcop_home: Path) -> None:
    first, second = Traces(), Traces()
    other = _provider(Application(), second.exporter)
    with global_provider(_provider(Application(), first.exporter)):
        cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["search"]))
        with other.get_tracer("other").start_as_current_span("request") as request:
            cop.tool(found, name="search")("x")
        cop.flush()
    (gate_span,) = first.gate_spans
    assert gate_span.parent is not None
    assert gate_span.parent.span_id == request.get_span_context().span_id
    assert second.gate_spans == []
    assert [span.name for span in second.spans] == ["request"]
    assert len(spooled(agentcop_home)) == 1


def test_gate_spans_that_the_application_drops_still_stand_in_each_other_for_the_detector(agentcop_home: Path) -> None:
    traces = Traces()
    with global_provider(_provider(Application(sampler=OfOurs(Decision.DROP)), traces.exporter)):
        cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["outer", "inner"]))
        inner = cop.tool(look, name="inner")

        def outer() -> None:
            with trace.get_tracer("application").start_as_current_span("between"):
                inner()

        with trace.get_tracer("application").start_as_current_span("request") as request:
            cop.tool(outer)()
        cop.flush()
    below, above = spooled(agentcop_home)
    assert (below.name, above.name) == ("execute_tool inner", "execute_tool outer")
    assert below.parent_span_id == above.span_id
    assert above.parent_span_id == request.get_span_context().span_id.to_bytes(8, "big")
    assert [(name, parent) for name, parent, *_ in traces.own()] == [("between", "request"), ("request", "")]


@pytest.mark.parametrize("limit", ["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"])
@pytest.mark.parametrize("has_provider", [True, False])
def test_limits_from_the_environment_cut_nothing_that_the_detector_gets(
    limit: str, has_provider: bool, monkeypatch: pytest.MonkeyPatch, agentcop_home: Path
) -> None:
    monkeypatch.setenv(limit, "3")
    with ExitStack() as stack:
        if has_provider:
            provider = TracerProvider(shutdown_on_exit=False)
            stack.enter_context(global_provider(provider))
        cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["search"]))
        with pytest.raises(PolicyBlocked):
            cop.tool(found, name="wipe")("x")
        cop.flush()
    (span,) = spooled(agentcop_home)
    shown = attributes_of(span)
    assert shown["agentcop.verdict"] == "block"
    assert len(shown["agentcop.call.digest"]) == 64
    assert shown["agentcop.reason"] == "not on any list; default is block"
