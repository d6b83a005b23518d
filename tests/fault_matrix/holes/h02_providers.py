"""The span pipeline is switched off, replaced, emptied, shut down, or raises before ours is asked."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from tests.fault_matrix.hole import Variant, hole
from tests.fault_matrix.holes.reading import BLOCKED, READ, read_file

from telemetry import application_provider, global_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span
    from tests.fault_matrix.scene import Scene

_DISABLED = "OTEL_SDK_DISABLED"


class _Raises(SpanProcessor):
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        raise RuntimeError("an earlier processor of the application's")


@contextmanager
def _disabled(scene: Scene) -> Iterator[None]:
    with scene.own_home():
        os.environ[_DISABLED] = "true"
        try:
            with application_provider():
                yield
        finally:
            del os.environ[_DISABLED]


@contextmanager
def _noop(scene: Scene) -> Iterator[None]:
    with global_provider(trace.NoOpTracerProvider()):
        yield


@contextmanager
def _second(scene: Scene) -> Iterator[None]:
    """The application sets another provider than the one that was there when its agent was wrapped."""
    with application_provider():
        scene.once_wrapped.append(lambda tools: setattr(trace, "_TRACER_PROVIDER", TracerProvider()))
        yield


@contextmanager
def _cleared(scene: Scene) -> Iterator[None]:
    provider = TracerProvider()
    with global_provider(provider):
        trace.get_tracer("application").start_span("before").end()
        scene.once_wrapped.append(lambda tools: _without_processors(provider))
        yield


def _without_processors(provider: TracerProvider) -> None:
    provider._active_span_processor._span_processors = ()  # noqa: SLF001 -- as applications' test suites do it


@contextmanager
def _raising(scene: Scene) -> Iterator[None]:
    provider = TracerProvider()
    provider.add_span_processor(_Raises())
    with global_provider(provider):
        yield


@contextmanager
def _shut_down(scene: Scene) -> Iterator[None]:
    provider = TracerProvider()
    with global_provider(provider):
        scene.once_wrapped.append(lambda tools: provider.shutdown())
        yield


@contextmanager
def _configured_off(scene: Scene) -> Iterator[None]:
    """Each tracer is disabled, as a TracerConfigurator does it where the SDK has one."""
    provider = TracerProvider()
    with global_provider(provider):
        provider.get_tracer = lambda *args, **kwargs: trace.NoOpTracer()  # type: ignore[method-assign]  # the fault
        yield


_FAULTS: dict[str, Callable[[Scene], AbstractContextManager[None]]] = {
    "OTEL_SDK_DISABLED": _disabled,
    "no-op provider": _noop,
    "second provider": _second,
    "cleared processors": _cleared,
    "an earlier processor raises": _raising,
    "provider shut down": _shut_down,
    "tracers disabled": _configured_off,
}
HOLE = hole(
    2,
    "the span pipeline is off, replaced or broken",
    [Variant(name=name, tools=read_file, turns=READ, gate=BLOCKED, fault=fault) for name, fault in _FAULTS.items()],
)
