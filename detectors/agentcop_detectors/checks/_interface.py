"""What a check is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_core.alert import Severity
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """What a check found about a run, in words."""

    check: str
    """The check's name, as it stands on the alert: `unenforced_call`."""
    severity: Severity
    agent_id: str
    tool: str = ""
    reason: str
    """One sentence, without content."""
    evidence: tuple[str, ...] = ()
    """Further facts, one sentence each."""
    trace_id: bytes = b""
    span_id: bytes = b""
    """The step it is about; empty for the run as a whole."""
    key: str
    """Unique for this finding: the same spans, read again after a crash, give the same key, and one alert."""


State = dict[str, Any]
"""What one check remembers of one agent between its runs: JSON, a few kB. Changed in place, stored by the scorer."""


class Check(Protocol):
    """Looks at runs as they grow. Holds nothing itself: what it remembers is in `state`."""

    name: str
    severity: Severity

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> Iterable[Anomaly]:
        """What `new` steps of `run` show at once; they are in the run already, or shed from it again.

        `run.partial`: the run holds only what came late of it.
        """

    def on_look(self, run: Run, state: State) -> Iterable[Anomaly]:
        """What the run shows as a whole.

        Asked when nothing came for a moment, every ten seconds while it is busy, and when it is closed: more than
        once for the same steps.
        """


def whose(run: Run, step: Step | None = None) -> str:
    """The agent that a finding is about: what the step or its run says, else the service that sent it."""
    return (step.agent_id if step is not None else "") or run.agent_id or run.service or "unknown agent"


def by_our_clock(run: Run, time: int) -> int:
    """A sender's time in nanoseconds, or the latest that ours has seen: one from the future would hide what follows."""
    return min(time, int(run.seen * 1e9))
