"""Instrumentation swallows what a span processor raises, or stands between the agent and its tool."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from opentelemetry import trace
from opentelemetry.sdk.trace import SynchronousMultiSpanProcessor, TracerProvider
from tests.fault_matrix.hole import Hole, Variant, cell
from tests.fault_matrix.holes.reading import BLOCKED, READ, read_file

from agentcop_policies import Policy
from telemetry import application_provider, global_provider

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span
    from tests.fault_matrix.harness import Harness, Path
    from tests.fault_matrix.hole import Trial
    from tests.fault_matrix.scene import Scene


class _Swallows(SynchronousMultiSpanProcessor):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the SDK's

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        try:
            super().on_start(span, parent_context)
        except Exception:
            return


def _fails(*args: Any, **kwargs: Any) -> Any:
    raise ValueError("a policy that cannot judge")


@contextmanager
def _swallowing(scene: Scene) -> Iterator[None]:
    with global_provider(TracerProvider(active_span_processor=_Swallows())):
        yield


@contextmanager
def _swallowing_a_fault(scene: Scene) -> Iterator[None]:
    """What is swallowed here is the gate's own failure; with no gate it has nothing to fail in."""
    with ExitStack() as stack:
        stack.enter_context(_swallowing(scene))
        if scene.gated:
            stack.enter_context(patch.object(Policy, "decide", _fails))
        yield


@contextmanager
def _native_span(scene: Scene) -> Iterator[None]:
    """The framework, or an instrumentor, has opened the tool's span before us."""
    with application_provider(), trace.get_tracer("native").start_as_current_span("execute_tool read_file"):
        yield


def _instrumented(module: str, name: str) -> Variant:
    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        instrumentor = getattr(import_module(module), name)()
        with global_provider(TracerProvider(active_span_processor=_Swallows())):
            instrumentor.instrument(tracer_provider=trace.get_tracer_provider())
            try:
                yield
            finally:
                instrumentor.uninstrument()

    return Variant(name=name, tools=read_file, turns=READ, gate=BLOCKED, fault=fault)


_EVERYWHERE = [
    Variant(name="a processor chain that swallows", tools=read_file, turns=READ, gate=BLOCKED, fault=_swallowing),
    Variant(
        name="a failing policy under it",
        tools=read_file,
        turns=READ,
        gate={"default": "allow"},
        permitting=None,
        fault=_swallowing_a_fault,
    ),
    Variant(name="a native tool span", tools=read_file, turns=READ, gate=BLOCKED, fault=_native_span),
]


def _trials(harness: Harness, path: Path) -> Sequence[Trial] | str:
    own = [_instrumented(module, name) for module, name in harness.instrumentors]
    return cell([*_EVERYWHERE, *own], harness, path)


HOLE = Hole(number=4, title="instrumentation swallows what a processor raises", trials=_trials)
