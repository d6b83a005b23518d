"""What a check is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """Further facts, one sentence each; a step is named by its span id."""
    span_id: bytes = b""
    """The step it is about; empty for the run as a whole."""
    key: str
    """Unique for this finding: the same spans, read again after a crash, give the same key, and one alert."""


class Check(Protocol):
    """Looks at each run as it grows. Pure but for `state`, which the scorer stores with its checkpoint."""

    name: str
    severity: Severity

    def on_steps(self, run: Run, new: Iterable[Step], state: AgentState) -> Iterable[Anomaly]:
        """What `new` steps of `run` show; called with each batch, the steps already being in the run."""

    def on_closed(self, run: Run, state: AgentState) -> Iterable[Anomaly]:
        """What can be said only once the run is over."""


class AgentState(Protocol):
    """What is remembered of one agent between its runs: JSON, under 100 kB.

    Stored in the same transaction as the position in the segment log up to which it counts.
    """

    agent_id: str

    def get(self, check: str) -> dict[str, object]:
        """The check's own part, which it may change in place; made empty at first."""
