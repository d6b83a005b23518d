"""A sampler drops the tool's span, so that no processor sees it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased
from tests.fault_matrix.hole import Variant, hole
from tests.fault_matrix.holes.reading import BLOCKED, READ, read_file

from telemetry import application_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fault_matrix.scene import Scene

_REMOTE = trace.SpanContext(0x51, 0x17, is_remote=True, trace_flags=trace.TraceFlags(trace.TraceFlags.DEFAULT))


@contextmanager
def _unsampled_caller(scene: Scene) -> Iterator[None]:
    """As a web framework's instrumentation does it for a request whose traceparent ends in 00."""
    with application_provider(ParentBased(ALWAYS_ON)):
        token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(_REMOTE)))
        try:
            yield
        finally:
            context.detach(token)


def _sampled_by(name: str, sampler: Sampler) -> Variant:
    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        with application_provider(sampler):
            yield

    return Variant(name=name, tools=read_file, turns=READ, gate=BLOCKED, fault=fault)


HOLE = hole(
    1,
    "a sampler drops the span",
    [
        _sampled_by("always off", ALWAYS_OFF),
        _sampled_by("ratio 0", TraceIdRatioBased(0.0)),
        Variant(name="unsampled caller", tools=read_file, turns=READ, gate=BLOCKED, fault=_unsampled_caller),
    ],
)
