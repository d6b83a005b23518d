"""OpenTelemetry as an application sets it up, put back as it was afterwards."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util._once import Once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace.sampling import Sampler


@contextmanager
def application_provider(sampler: Sampler | None = None) -> Iterator[InMemorySpanExporter]:
    """The application has set a provider of its own; what it exports is in the exporter."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler) if sampler is not None else TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with global_provider(provider):
        yield exporter


@contextmanager
def global_provider(provider: trace.TracerProvider) -> Iterator[None]:
    """`provider` is the global one for the block: the API lets it be set only once, so its state is put aside."""
    before = trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE  # noqa: SLF001 -- no public way back
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = None, Once()  # noqa: SLF001 -- as above
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = before  # noqa: SLF001 -- as above
