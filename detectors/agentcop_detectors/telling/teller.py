"""Takes what the scorer found, and sees to it that a person hears of it, or that the database says why nobody does."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from agentcop_alerts.background import Background
from agentcop_alerts.item import Enclosed
from agentcop_alerts.outbox import Outbox
from agentcop_alerts.sender import EXIT_SECONDS, AlertSender
from agentcop_detectors.store.alerts import untold
from agentcop_detectors.telling.budget import Budget
from agentcop_detectors.telling.digest import digests
from agentcop_detectors.telling.ledger import Ledger, ref_of
from agentcop_detectors.telling.timeline import document, timeline
from agentcop_detectors.telling.words import alert_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Engine

    from agentcop_alerts.channels import Route
    from agentcop_core.alert import Alert
    from agentcop_detectors.checks._interface import Anomaly
    from agentcop_detectors.run import Run
    from agentcop_detectors.segments.spans import SpanStore
    from agentcop_detectors.step import Step
    from agentcop_detectors.telling.routing import Routing

_log = logging.getLogger("agentcop")

_QUEUE: Final = 20_000
_UNTOLD: Final = 20_000
_LOOK_SECONDS: Final = 60.0
_CHUNK: Final = 100
_FOLD_SECONDS: Final = 30.0
_STEPS: Final = 2_000


class _Found(NamedTuple):
    row: int
    anomaly: Anomaly
    run: Run
    steps: Sequence[Step]
    missing: int


class Teller:
    """Called by the scorer's thread, which it costs microseconds; a thread of its own does the rest.

    The row of an alert says at each moment what is true of it: `pending` until a message with it is on disk, `spooled`
    until a channel took that, `sent` only then. A restart goes on where a kill left it.
    """

    def __init__(  # noqa: PLR0913 -- where it reads, where it writes, and whose clock
        self,
        folder: Path,
        engine: Engine,
        routing: Routing,
        *,
        spans: SpanStore | None = None,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`folder`: the state folder's `alerts`, which the agents of this machine use too.

        `spans`: an instance for this alone, for runs whose steps are not at hand. Opens nothing: see `start`.
        """
        self._engine = engine
        self._routing = routing
        self._spans = spans
        self._clock = clock
        self._queue: deque[_Found] = deque()
        self._digested: set[str] = set()
        self._full = False
        self._faults: set[str] = set()
        self._looked = 0.0
        self._own: Counter[str] = Counter()
        budget = Budget(folder / "budget.json", routing.limit)
        self.ledger = Ledger(engine, Outbox(folder), clock)
        self.sender = AlertSender(folder, environ=environ, clock=clock, hears=self.ledger, permits=budget)
        self._thread = Background("agentcop-alerts-teller", self._step)

    def start(self) -> None:
        """Take up what a kill left, before the scorer finds more. Blocks; raises SQLAlchemyError, OSError."""
        outbox = self.sender.outbox
        for state, outcome in (("failed", "failed"), ("sent", "sent")):
            for item in outbox.items(state):  # type: ignore[arg-type]  # the two states
                rolled = outcome == "sent" and item.repeat
                self.ledger(item.refs, "rolled_up" if rolled else outcome)  # type: ignore[arg-type]  # as above
        waiting = [item for _, item in outbox.waiting()]
        for item in waiting:
            self.ledger(item.refs, "spooled")
        known = {ref for item in (*waiting, *outbox.items("sent"), *outbox.items("failed")) for ref in item.refs}
        left = untold(self._engine, _UNTOLD)
        if len(left) == _UNTOLD:
            _log.warning("agentcop: over %d alerts wait to be told; those above are told at the next start", _UNTOLD)
        for row, anomaly, run in left:
            if ref_of(row, anomaly.key) not in known:
                self._queue.append(_Found(row, anomaly, run, (), 0))
        self._thread.wake()

    def __call__(self, found: Sequence[tuple[int, Anomaly, Run]]) -> None:
        """Take what was found, with the ids of its rows. Neither blocks nor raises."""
        steps: dict[int, list[Step]] = {}
        for row, anomaly, run in found:
            if len(self._queue) >= _QUEUE:
                self._own["put_off"] += 1
                if not self._full:
                    self._full = True
                    _log.error("agentcop: over %d alerts wait to be told; more are told at the next start", _QUEUE)
                continue
            if id(run) not in steps:
                # The list is the scorer's; its steps never change.
                steps[id(run)] = [
                    *run.steps[: _STEPS // 2],
                    *run.steps[max(_STEPS // 2, len(run.steps) - _STEPS // 2) :],
                ]
            held = steps[id(run)]
            self._queue.append(_Found(row, anomaly, run, held, run.total - len(held)))
        self._thread.wake()

    def counts(self) -> dict[str, int]:
        """Outcome to how many alerts had it; `put_off` and `tell_faults` besides."""
        return {**self.ledger.counts, **self._own}

    def rest(self, seconds: float) -> bool:
        """Whether all that was handed over is sent or put off, and written down, within `seconds`. For tests."""
        return self._thread.rest(seconds) and self.sender.drain(seconds) and self.ledger.rest(seconds)

    def close(self, seconds: float = EXIT_SECONDS) -> None:
        """The process ends: everything to the disk, and what can be sent within `seconds` is sent."""
        self._thread.rest(seconds)
        self._thread.end(seconds)
        self.sender.close(seconds)
        self.ledger.close(seconds)

    def _step(self) -> float:
        while self._queue:
            chunk = [self._queue[index] for index in range(min(_CHUNK, len(self._queue)))]
            made = [each for found in chunk if (each := self._made(found)) is not None]
            self.sender.submit_all(made)
            for _ in chunk:
                self._queue.popleft()
            self.sender.folded(_FOLD_SECONDS)  # so that what waits in memory stays a chunk
        now = self._clock()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._send_digests(now)
            self._send_what_others_left()
        return _LOOK_SECONDS

    def _made(self, found: _Found) -> tuple[Alert, Route, Enclosed] | None:
        try:
            return self._told(found)
        except Exception as error:  # one that cannot be told must not hold up the others; it stays `pending`
            self._own["tell_faults"] += 1
            if (kind := type(error).__name__) not in self._faults:
                self._faults.add(kind)
                _log.exception("agentcop: an alert could not be told; it is tried again at the next start")
            return None

    def _told(self, found: _Found) -> tuple[Alert, Route, Enclosed]:
        steps, missing = found.steps, found.missing
        if not steps and self._spans is not None:
            try:
                steps, missing = self._spans.trace(found.anomaly.trace_id), 0
            except OSError:
                _log.exception("agentcop: the spans of a run could not be read; its alert goes without them")
        anomaly = found.anomaly
        alert = alert_of(anomaly, found.run, steps, self._clock())
        route = self._routing.route(anomaly.agent_id)
        enclosed = Enclosed(
            timeline=timeline(steps, anomaly.span_id, missing),
            run=document(found.run, steps, anomaly) if route.takes_files else "",
            refs=(ref_of(found.row, anomaly.key),),
        )
        return alert, route, enclosed

    def _send_digests(self, now: float) -> None:
        outbox = self.sender.outbox
        try:
            waiting = {ref for _, item in outbox.waiting() for ref in item.refs}
            due = digests(self._engine, now, waiting | self._digested)
        except (SQLAlchemyError, OSError):
            _log.exception("agentcop: the daily digest could not be made; it is tried again in a minute")
            return
        if not due:
            self._digested = set()
        for alert, refs in due:
            self._digested.update(refs)
            self.sender.submit(alert, self._routing.route(alert.agent_id), Enclosed(refs=refs))

    def _send_what_others_left(self) -> None:
        """What an agent's process left in the folder when it ended, where the agent's policy is known here."""
        for agent_id in {item.alert.agent_id for _, item in self.sender.outbox.waiting()}:
            self.sender.arm(self._routing.route(agent_id))
