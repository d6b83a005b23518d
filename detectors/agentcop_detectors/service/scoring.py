"""The scorer as a process: what is on disk becomes runs, verdicts and alerts."""

from __future__ import annotations

import logging
import secrets
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

from agentcop_core.escape import escape
from agentcop_core.home import make_private
from agentcop_detectors.checks.built_in import built_in
from agentcop_detectors.policies import Policies
from agentcop_detectors.receive.tokens import read_tokens
from agentcop_detectors.scorer import Scorer
from agentcop_detectors.segments.spans import SpanStore
from agentcop_detectors.service.keeping import Keeping
from agentcop_detectors.service.status import Publisher
from agentcop_detectors.store.database import open_database
from agentcop_detectors.store.writer import Store
from agentcop_detectors.telling.routing import Routing, default_monitor
from agentcop_detectors.telling.teller import Teller

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agentcop_detectors.checks._interface import Anomaly
    from agentcop_detectors.run import Run
    from agentcop_detectors.service.child import Stop
    from agentcop_detectors.service.settings import Settings

_log = logging.getLogger("agentcop")

NAME: Final = "scorer"
_DRAIN_SECONDS: Final = 10.0
"""How long it goes on with what is on disk, once told to stop; the rest is scored at the next start."""
_POLL_SECONDS: Final = 0.005
_SAY_SECONDS: Final = 0.25
_FAILING_SECONDS: Final = 0.5
_REFRESH_SECONDS: Final = 2.0


def score(settings: Settings, stop: Stop) -> None:
    """Score until stopped; then what is on disk, and commit. Blocks.

    Raises AgentCopError or OSError where the database cannot be used at the start. One that fails later is asked again
    and again, and the service is not ready meanwhile.
    """
    engine = open_database(settings.database)
    make_private(settings.segments)
    tokens = read_tokens(settings.tokens) if settings.tokens else None
    policies = Policies(settings.policies, earlier=settings.folder / "policies.json")
    policies.refresh()
    store = Store(engine, identity(settings.segments))
    default = default_monitor(settings.alerts) if settings.alerts else None
    routing = Routing(policies, default, settings.page_link)
    teller = Teller(settings.home / "alerts", engine, routing, spans=SpanStore(settings.segments, tokens=tokens))
    teller.start()
    told = _Told(teller)
    scorer = Scorer(settings.segments, store, built_in(policies), tokens=tokens, tell=told)
    process = _Process(scorer, policies, told, Keeping(scorer, engine, settings), Publisher(settings.status, NAME))
    process.run(stop)
    teller.close()
    engine.dispose()


class _Process:
    """The loop around the scorer."""

    def __init__(self, scorer: Scorer, policies: Policies, told: _Told, keeping: Keeping, publisher: Publisher) -> None:
        self._scorer = scorer
        self._policies = policies
        self._told = told
        self._keeping = keeping
        self._publisher = publisher
        self._said = 0.0
        self._refreshed = 0.0
        self._failing = ""

    def run(self, stop: Stop) -> None:
        deadline: float | None = None
        self._keeping.start()
        while True:
            busy = self._step()
            self._keeping.serve()
            now = time.monotonic()
            if now - self._said >= _SAY_SECONDS:
                self._said = now
                self._say(self._failing)
            if now - self._refreshed >= _REFRESH_SECONDS:
                self._refreshed = now
                self._policies.refresh()
            if stop.is_set():
                deadline = deadline or now + _DRAIN_SECONDS
                if now >= deadline or not (busy or self._failing):
                    break
            if self._failing:
                time.sleep(_FAILING_SECONDS)
            elif not busy:
                stop.wait(_POLL_SECONDS)
        self._keeping.stop()
        self._scorer.close()
        self._say("it has ended")

    def _step(self) -> bool:
        try:
            busy = self._scorer.step()
        except (SQLAlchemyError, OSError) as error:
            if not self._failing:
                _log.exception("agentcop: what was scored cannot be stored; tried again until it can")
            self._failing = f"the database fails: {type(error).__name__}"
            return False
        if self._failing:
            _log.warning("agentcop: what was scored is stored again")
        self._failing = ""
        return busy

    def _say(self, why: str) -> None:
        counted = self._scorer.counts().as_dict()
        gauges = {
            "open_runs": counted.pop("runs_open"),
            "held_bytes": counted.pop("held_bytes"),
            "agents_held": counted.pop("agents_held"),
            "policy_problems": len(self._policies.problems),
        }
        counts = {name: number for name, number in counted.items() if isinstance(number, int)}
        counts["policies_broken"] = self._policies.broken
        counts |= self._told.counts() | self._keeping.counts()
        self._publisher.publish(ready=not why, why=why, counts=counts, gauges=gauges)


def identity(segments: Path) -> str:
    """The name under which this log's positions stand in the database; made once, and moved with the folder.

    Several detectors may share one database, also such whose folders have the same path on their machines.
    """
    path = segments / "identity"
    if not path.exists():
        new = path.with_suffix(".new")
        new.write_text(secrets.token_hex(16), encoding="ascii")
        new.replace(path)
    return path.read_text(encoding="ascii").strip()


class _Told:
    """Gets what was found, once it is in the database: a line in the log, and a message for who is to hear of it."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._alerts: Counter[str] = Counter()

    def counts(self) -> dict[str, int]:
        """Alerts by kind, and what became of their messages."""
        return self._alerts | {f"deliveries.{outcome}": number for outcome, number in self._teller.counts().items()}

    def __call__(self, found: Sequence[tuple[int, Anomaly, Run]]) -> None:
        self._teller(found)
        for _, anomaly, _ in found:
            self._alerts[f"alerts.{anomaly.check}.{anomaly.severity}"] += 1
            _log.warning(
                "agentcop: alert: %s %s: agent=%s tool=%s trace=%s: %s",
                anomaly.severity,
                anomaly.check,
                escape(anomaly.agent_id),
                escape(anomaly.tool),
                anomaly.trace_id.hex(),
                escape(anomaly.reason),
            )
