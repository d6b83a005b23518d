"""Addresses outside, filled in for a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcop_alerts.links import fill
from agentcop_core.alert import Alert

if TYPE_CHECKING:
    from agentcop_detectors.store.reader import StoredRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Templates, as `monitor.links` of a policy has them; "" leaves a link out."""

    trace: str = ""
    """Holds `{trace_id}`."""
    dashboard: str = ""
    """May hold `{agent_id}`, `{session_id}` and `{trace_id}`."""

    def of(self, run: StoredRun) -> tuple[tuple[str, str], ...]:
        """Label and address of each that can be filled in."""
        about = Alert(
            kind="test",
            severity="low",
            agent_id=run.agent_id,
            session_id=run.session_id,
            trace_id=run.trace_id,
        )
        found = (("Open trace", self.trace), ("Dashboard", self.dashboard))
        return tuple((label, url) for label, template in found if (url := fill(template, about, {})))
