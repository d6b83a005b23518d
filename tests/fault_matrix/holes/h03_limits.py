"""Span limits, or a sampler, cut the arguments off the span."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from tests.fault_matrix.attempt import Call
from tests.fault_matrix.hole import Variant, hole
from tests.fault_matrix.holes.reading import SHADOW, read_file

from telemetry import application_provider, global_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.fault_matrix.scene import Scene

_GATE = {"default": "allow", "block": [{"tool": "read_file", "when": f'args.path.endsWith("{SHADOW}")'}]}
_FAR_OUT = [[Call(tool="read_file", arguments={"path": "/." * 200 + SHADOW})]]


class _NoAttributes(Sampler):
    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes=None)

    def get_description(self) -> str:
        return "NoAttributes"


def _limited(**limits: int) -> Callable[[Scene], AbstractContextManager[None]]:
    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        with global_provider(TracerProvider(span_limits=SpanLimits(**limits))):
            yield

    return fault


@contextmanager
def _sampled_away(scene: Scene) -> Iterator[None]:
    with application_provider(_NoAttributes()):
        yield


_FAULTS = {
    "value length 8": _limited(max_span_attribute_length=8),
    "one attribute": _limited(max_span_attributes=1),
    "no attribute": _limited(max_span_attributes=0, max_attribute_length=0),
    "sampler returns none": _sampled_away,
}
HOLE = hole(
    3,
    "limits cut the arguments off the span",
    [Variant(name=name, tools=read_file, turns=_FAR_OUT, gate=_GATE, fault=fault) for name, fault in _FAULTS.items()],
)
