"""The scorer as a process: what is on disk becomes runs, verdicts and alerts."""

from __future__ import annotations

import logging
import secrets
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from agentcop_core.escape import escape
from agentcop_detectors.assemble.runs import Runs
from agentcop_detectors.checks.broken_chain import BrokenChain
from agentcop_detectors.checks.new_tool import NewTool
from agentcop_detectors.checks.refusal_storm import RefusalStorm
from agentcop_detectors.checks.unenforced_call import UnenforcedCall
from agentcop_detectors.checks.volume import Volume
from agentcop_detectors.forward.position import load_position
from agentcop_detectors.receive.tokens import read_tokens
from agentcop_detectors.scorer import Scorer
from agentcop_detectors.segments.position import Published
from agentcop_detectors.segments.spans import SpanStore
from agentcop_detectors.service.status import Publisher
from agentcop_detectors.store.database import open_database
from agentcop_detectors.store.writer import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agentcop_detectors.checks._interface import Anomaly
    from agentcop_detectors.run import Run
    from agentcop_detectors.segments.tail import Position
    from agentcop_detectors.service.child import Stop
    from agentcop_detectors.service.settings import Settings

_log = logging.getLogger("agentcop")

NAME: Final = "scorer"
SCORER_DRAIN_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.005
_SAY_SECONDS: Final = 0.25
_TIDY_SECONDS: Final = 5.0
_DAY: Final = 86_400.0


def score(settings: Settings, stop: Stop) -> None:
    """Score until stopped; then what is on disk, and commit. Blocks.

    Raises AgentCopError or OSError where the database cannot be used. A fault while it runs ends the process: the next
    one goes on from what was committed last.
    """
    engine = open_database(settings.database)
    settings.segments.mkdir(mode=0o700, parents=True, exist_ok=True)
    tokens = read_tokens(settings.tokens) if settings.tokens else None
    told = _Told()
    checks = (UnenforcedCall(), BrokenChain(), RefusalStorm(), NewTool(), Volume())
    store, runs = Store(engine, identity(settings.segments)), Runs()
    scorer = Scorer(settings.segments, store, checks, tokens=tokens, tell=told, runs=runs)
    published = Published(settings.segments)
    tidy = _Tidy(SpanStore(settings.segments), store, settings)
    publisher = Publisher(settings.status, NAME)
    said = 0.0
    deadline: float | None = None
    while True:
        busy = scorer.step()
        published.put(scorer.position)
        now = time.monotonic()
        if now - said >= _SAY_SECONDS:
            said = now
            counts = _counts(scorer, runs, told, tidy)
            publisher.publish(ready=True, counts=counts, gauges={"open_runs": scorer.open_runs})
        if stop.is_set():
            deadline = deadline or now + SCORER_DRAIN_SECONDS / 2
            if not busy or now >= deadline:
                break
        elif not busy:
            tidy.look()
            stop.wait(_POLL_SECONDS)
    scorer.close()
    published.put(scorer.position)
    published.close()
    counts = _counts(scorer, runs, told, tidy)
    publisher.publish(ready=False, why="it has ended", counts=counts, gauges={"open_runs": scorer.open_runs})
    engine.dispose()


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
    """Gets what was found, once it is in the database."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def __call__(self, found: Sequence[tuple[int, Anomaly, Run]]) -> None:
        for _, anomaly, _ in found:
            self.counts[f"alerts.{anomaly.check}.{anomaly.severity}"] += 1
            _log.warning(
                "agentcop: alert: %s %s: agent=%s tool=%s trace=%s: %s",
                anomaly.severity,
                anomaly.check,
                escape(anomaly.agent_id),
                escape(anomaly.tool),
                anomaly.trace_id.hex(),
                escape(anomaly.reason),
            )


class _Tidy:
    """Seals what is scored and deletes what is old, a segment at a time, while nothing else is to do."""

    def __init__(self, spans: SpanStore, store: Store, settings: Settings) -> None:
        self._spans = spans
        self._store = store
        self._settings = settings
        self._next = 0.0
        self.counts: Counter[str] = Counter()

    def look(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _TIDY_SECONDS
        try:
            sealed = self._spans.seal(self._unneeded())
            if sealed is not None:
                self.counts["sealed_segments"] += 1
                self._next = now  # there may be more
            old = time.time() - self._settings.retain_days * _DAY
            self.counts["deleted_segments"] += self._spans.delete_before(old)
        except OSError:
            self.counts["tidy_faults"] += 1
            _log.exception("agentcop: segments in %s cannot be sealed or deleted", self._settings.segments)

    def _unneeded(self) -> Position:
        """What lies before is read in order by nobody any more, also after a restart."""
        _, behind = self._store.progress()
        if self._settings.forward is not None:
            behind = min(behind, load_position(self._settings.forward_position))
        return behind


def _counts(scorer: Scorer, runs: Runs, told: _Told, tidy: _Tidy) -> dict[str, int]:
    counts: dict[str, int] = {str(what): number for what, number in scorer.counts.items()}
    counts |= {f"runs.{event}": number for event, number in runs.counts.items()}
    return counts | told.counts | tidy.counts
