"""Whose span a step becomes: the application's tracer where it records, a private one where it does not.

The global provider is never set: the application's own later call would be refused.
"""

from __future__ import annotations

import logging
import weakref
from typing import TYPE_CHECKING

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

from agentcop_core import attributes as names
from agentcop_core.locks import IMPORTING, safe_lock
from agentcop_processor.telemetry.span_processor import GateSpanProcessor
from agentcop_processor.telemetry.wholespan import WholeSpan, cuts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Link, Span, SpanKind, Tracer, TraceState
    from opentelemetry.util.types import Attributes

_log = logging.getLogger("agentcop")
_UNSAMPLED = context_api.create_key("agentcop-unsampled")
_INNERMOST = context_api.create_key("agentcop-innermost")
_LIMITS = ("max_attributes", "max_span_attributes", "max_attribute_length", "max_span_attribute_length")
_SCOPE_ATTRIBUTES = {names.COP_SCHEMA: names.SCHEMA}
"""Said once for all spans of the scope, because each attribute of a span costs its caller about a microsecond."""


class _CopyParent(Sampler):
    """Records every span of ours; its sampled flag is the parent's, so that the application's traces do not change."""

    def should_sample(  # noqa: PLR0913, PLR0917 -- the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,  # noqa: ARG002 -- the SDK's signature
        name: str,  # noqa: ARG002 -- the SDK's signature
        kind: SpanKind | None = None,  # noqa: ARG002 -- the SDK's signature
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,  # noqa: ARG002 -- the SDK's signature
        trace_state: TraceState | None = None,  # noqa: ARG002 -- the SDK's signature
    ) -> SamplingResult:
        """RECORD_ONLY under an unsampled parent or in place of a span the application's sampler dropped."""
        parent = trace.get_current_span(parent_context).get_span_context()
        dropped = context_api.get_value(_UNSAMPLED, parent_context) is True
        sampled = not dropped and (not parent.is_valid or parent.trace_flags.sampled)
        decision = Decision.RECORD_AND_SAMPLE if sampled else Decision.RECORD_ONLY
        return SamplingResult(decision, attributes, parent.trace_state)

    def get_description(self) -> str:
        """The sampler's name in the SDK's terms."""
        return "AgentCopCopyParent"


def context_with(span: Span) -> Context:
    """The current context with this span of ours in it, for the work that it is about.

    A span that is not sampled is not made OpenTelemetry's current one: the application's spans below it would have a
    parent that nobody exports, and by most samplers be dropped with it. Spans of ours find it all the same.
    """
    context = context_api.set_value(_INNERMOST, span)
    if not span.get_span_context().trace_flags.sampled:
        return context
    return trace.set_span_in_context(span.inner if isinstance(span, WholeSpan) else span, context)


class SpanSource:
    """Starts the spans of one pipeline. Thread-safe; never raises; never blocks on I/O."""

    def __init__(self, exporting: Callable[[], SpanProcessor | None]) -> None:
        """`exporting` gives the processor that exports a process which has no provider of its own, or None.

        It is called once, when the private provider is first needed.
        """
        self._exporting = exporting
        self._gate_processor = GateSpanProcessor()
        self._lock = safe_lock()
        self._attached: weakref.WeakSet[object] = weakref.WeakSet()
        self._seen: object = None
        self._tracer: Tracer | None = None
        self._cuts = False
        self._private: TracerProvider | None = None
        self._private_tracer: Tracer | None = None
        self._said = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> Span:
        """A started span, not yet current. A non-recording one only where the SDK is disabled or failing."""
        tracer = self._application_tracer()
        if tracer is None:
            return self._start_private(name, attributes, dropped=False)
        try:
            span = tracer.start_span(name, attributes=attributes)
        except Exception:
            _log.exception("agentcop: the application's span pipeline raised while a span started")
            return self._start_private(name, attributes, dropped=True)
        if not span.is_recording():
            return self._start_private(name, attributes, dropped=True)
        if self._cuts:
            return WholeSpan(span, attributes)
        if isinstance(span, ReadableSpan) and names.OPERATION not in (span.attributes or {}):
            span.set_attributes(attributes)  # a sampler says which attributes a span starts with: it may say none
        return span

    def flush(self, timeout_millis: int = 2_000) -> None:
        """Send what the private provider holds; blocks at most `timeout_millis`."""
        if self._private is not None:
            self._private.force_flush(timeout_millis)

    def _application_tracer(self) -> Tracer | None:
        """The application's tracer, looked up each time: its provider may appear after arming, or be replaced."""
        try:
            provider = trace.get_tracer_provider()
        except Exception as error:  # OTEL_PYTHON_TRACER_PROVIDER names one that is not there
            self._complain(f"there is no tracer provider ({type(error).__name__}: {error})")
            return None
        if provider is self._seen:
            return self._tracer
        with self._lock:
            self._tracer = self._attach(provider)
            self._cuts = cuts(provider)
            self._seen = provider
            return self._tracer

    def _complain(self, what: str) -> None:
        if what != self._said:
            self._said = what
            _log.error("agentcop: %s; tool calls are traced without it", what)

    def _attach(self, provider: trace.TracerProvider) -> Tracer | None:
        add = getattr(provider, "add_span_processor", None)
        if add is None:
            return None
        try:
            if provider not in self._attached:
                add(self._gate_processor)
                self._attached.add(provider)
            return provider.get_tracer(names.SCOPE, attributes=_SCOPE_ATTRIBUTES)
        except Exception:
            _log.exception("agentcop: the application's tracer provider refused our span processor")
            return None

    def _start_private(self, name: str, attributes: Mapping[str, str], *, dropped: bool) -> Span:
        """`dropped`: in place of a span that the application's provider would not or could not record."""
        context = context_api.set_value(_UNSAMPLED, value=True) if dropped else context_api.get_current()
        innermost = context_api.get_value(_INNERMOST)
        if isinstance(innermost, trace.Span) and not innermost.get_span_context().trace_flags.sampled:
            context = trace.set_span_in_context(innermost, context)
        try:
            tracer = self._private_tracer or self._make_private()
            return tracer.start_span(name, context=context, attributes=attributes)
        except Exception:
            _log.exception("agentcop: no span could be started; the seam decides alone")
            return trace.INVALID_SPAN

    def _make_private(self) -> Tracer:
        # A provider that is made imports more of the SDK, and of the standard library.
        with IMPORTING, self._lock:
            if self._private_tracer is None:
                # Whatever the environment limits, a verdict reaches the detector whole.
                unlimited = SpanLimits(**dict.fromkeys(_LIMITS, SpanLimits.UNSET))
                provider = TracerProvider(sampler=_CopyParent(), span_limits=unlimited)
                provider.add_span_processor(self._gate_processor)
                if (exporting := self._exporting()) is not None:
                    provider.add_span_processor(exporting)
                self._private = provider
                self._private_tracer = provider.get_tracer(names.SCOPE, attributes=_SCOPE_ATTRIBUTES)
            return self._private_tracer
