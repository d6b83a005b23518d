"""Volume: a run that does far more than any run should."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentcop_detectors.checks._interface import Anomaly, whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_core.alert import Severity
    from agentcop_detectors.checks._interface import State
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step

_NS: Final = 1_000_000_000
_OLDEST: Final = 30 * 86_400 * _NS
_AHEAD: Final = 86_400 * _NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """What one run may do before somebody is told. Fixed; what is usual for one agent is learned elsewhere."""

    calls: int = 500
    tokens: int = 2_000_000
    seconds: int = 14_400


class Volume:
    """One alert for each run and ceiling."""

    name = "volume"
    severity: Severity = "medium"

    def __init__(self, ceilings: Ceilings | None = None) -> None:
        """`ceilings`: None takes the defaults."""
        self._ceilings = ceilings if ceilings is not None else Ceilings()

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> Iterable[Anomaly]:
        """Compares the run with each ceiling."""
        del new, state
        seconds = 0 if _skewed(run) else (run.ended - run.started) // _NS
        for what, found, ceiling in (
            ("tool calls", run.tool_calls, self._ceilings.calls),
            ("tokens", run.tokens, self._ceilings.tokens),
            ("seconds", seconds, self._ceilings.seconds),
        ):
            if found > ceiling:
                yield Anomaly(
                    check=self.name,
                    severity=self.severity,
                    agent_id=whose(run),
                    reason=f"one run took more than {ceiling} {what}",
                    evidence=(f"{found} {what} so far",),
                    trace_id=run.trace_id,
                    key=f"{self.name}:{run.trace_id.hex()}:{what}",
                )

    def on_look(self, run: Run, state: State) -> Iterable[Anomaly]:
        """Nothing more."""
        del run, state
        return ()


def _skewed(run: Run) -> bool:
    """Whether the sender's clock says nothing about how long it took: it began long ago, or ends in the future."""
    seen = int(run.seen * _NS)
    return run.started < seen - _OLDEST or run.ended > seen + _AHEAD
