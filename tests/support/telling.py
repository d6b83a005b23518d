"""A detector's database and teller on a test's own folder, fed with findings as the scorer hands them over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from agent_spans import a_run, a_step, ident
from agentcop_detectors.checks._interface import Anomaly
from agentcop_detectors.segments.tail import BEGINNING
from agentcop_detectors.store.database import open_database
from agentcop_detectors.store.tables import ALERTS
from agentcop_detectors.store.writer import Batch, Store
from agentcop_detectors.telling.routing import Routing
from agentcop_detectors.telling.teller import Teller
from alerts import NOW
from policytext import policy

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_detectors.run import Run
    from agentcop_detectors.segments.spans import SpanStore
    from agentcop_policies.document.sections import Monitor
    from agentcop_policies.policy import Policy


def monitor_of(*channels: str, more: str = "") -> Monitor | None:
    """A policy's `monitor:` with these channels, as written in the file."""
    text = f"agent_id: x\nmonitor:\n  alert_channels: [{', '.join(channels)}]\n{more}gate: {{allow: [a]}}\n"
    return policy(text).document.monitor


class Told:
    """The part of the service that tells people, without its processes."""

    def __init__(  # noqa: PLR0913 -- each test its own
        self,
        folder: Path,
        environ: dict[str, str],
        *channels: str,
        more: str = "",
        policies: dict[str, Policy] | None = None,
        spans: SpanStore | None = None,
        page_link: str = "",
    ) -> None:
        self.now = NOW
        self.engine = open_database(f"sqlite:///{folder / 'detector.db'}")
        self.store = Store(self.engine, "test")
        self._policies = policies or {}
        default = monitor_of(*channels, more=more) if channels else None
        routing = Routing(self, default, page_link)
        self.teller = Teller(
            folder / "alerts", self.engine, routing, spans=spans, environ=environ, clock=lambda: self.now
        )

    def for_agent(self, agent_id: str) -> Policy | None:
        return self._policies.get(agent_id)

    def commit(self, *anomalies: Anomaly, run: Run | None = None) -> list[tuple[int, Anomaly, Run]]:
        """Write findings into the database, as the scorer does before it tells."""
        run = run or a_run(a_step())
        batch = Batch(counted=BEGINNING, resume=BEGINNING, runs=[run], anomalies=list(anomalies), now=self.now)
        return [(row, anomaly, run) for row, anomaly in self.store.commit(batch)]

    def find(self, *anomalies: Anomaly, run: Run | None = None) -> None:
        """Findings, from the database to the teller; returns when all that can be sent was sent."""
        self.teller(self.commit(*anomalies, run=run))
        assert self.teller.rest(30)

    def rows(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(ALERTS).order_by(ALERTS.c.id)))

    def told(self) -> list[str]:
        """What the database says of each alert."""
        return [row.told for row in self.rows()]

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        assert self.teller.rest(30)

    def end(self) -> None:
        self.teller.close(10)
        self.engine.dispose()


def found(number: int = 1, **changes: Any) -> Anomaly:
    """A finding about step 1 of trace 1."""
    whole: dict[str, Any] = {
        "check": "unenforced_call",
        "severity": "critical",
        "agent_id": "billing",
        "tool": "search",
        "reason": "a tool call that no gate judged",
        "evidence": ("by the library other",),
        "trace_id": ident(1, 16),
        "span_id": ident(1),
        "key": f"unenforced_call:{number}",
    }
    return Anomaly(**whole | changes)
