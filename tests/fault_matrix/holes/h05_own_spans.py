"""The gate, or what runs while it judges, opens spans or calls tools of its own."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from tests.fault_matrix.hole import Variant, hole
from tests.fault_matrix.holes.reading import BLOCKED, READ, SHADOW, read_file

from agentcop_policies import Policy
from telemetry import application_provider, global_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span
    from tests.fault_matrix.scene import Scene

_inside: ContextVar[bool] = ContextVar("inside", default=False)
_JUDGE = Policy.decide
_DEEP = 40


def _tool_span() -> None:
    with trace.get_tracer("other").start_as_current_span("execute_tool read_file"):
        pass


class _Acts(SpanProcessor):
    """An application's processor that does something at each tool span, but not within that again."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if span.name.startswith("execute_tool") and not _inside.get():
            token = _inside.set(True)
            try:
                self._act()
            finally:
                _inside.reset(token)


@contextmanager
def _policy_opens_spans(scene: Scene) -> Iterator[None]:
    def decide(self: Policy, *args: Any, **kwargs: Any) -> Any:
        _tool_span()
        return _JUDGE(self, *args, **kwargs)

    with application_provider(), patch.object(Policy, "decide", decide):
        yield


@contextmanager
def _processor_opens_spans(scene: Scene) -> Iterator[None]:
    provider = TracerProvider()
    provider.add_span_processor(_Acts(_tool_span))
    with global_provider(provider):
        yield


def _ask(scene: Scene) -> None:
    if scene.job is not None:
        scene.job.ask("read_file", {"path": SHADOW})


@contextmanager
def _processor_calls_the_tool(scene: Scene) -> Iterator[None]:
    provider = TracerProvider()
    provider.add_span_processor(_Acts(lambda: _ask(scene)))
    with global_provider(provider):
        yield


@contextmanager
def _policy_calls_the_tool(scene: Scene) -> Iterator[None]:
    """Judging that call calls it again, and so on."""
    depth = 0

    def decide(self: Policy, *args: Any, **kwargs: Any) -> Any:
        nonlocal depth
        depth += 1
        if scene.gated and depth < _DEEP:
            _ask(scene)
        return _JUDGE(self, *args, **kwargs)

    with patch.object(Policy, "decide", decide):
        yield


_FAULTS = {
    "the policy opens spans": _policy_opens_spans,
    "a processor opens spans": _processor_opens_spans,
    "a processor calls the tool": _processor_calls_the_tool,
    "the policy calls the tool": _policy_calls_the_tool,
}
HOLE = hole(
    5,
    "the gate itself opens spans or calls tools",
    [Variant(name=name, tools=read_file, turns=READ, gate=BLOCKED, fault=fault) for name, fault in _FAULTS.items()],
)
