"""Writes down, row by row, what became of alerts: `told` in the database is never better than the truth."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter, deque
from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from agentcop_alerts.background import Background
from agentcop_detectors.store.tables import ALERTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Engine

    from agentcop_alerts.outbox import Outbox
    from agentcop_alerts.spooling import Outcome

_log = logging.getLogger("agentcop")

_AGAIN: Final = 2.0
_CHUNK: Final = 500
_DIGITS: Final = 8
_AT_ONCE: Final = 5_000
_ARRIVED: Final = ("sent", "rolled_up")


def ref_of(row: int, key: str) -> str:
    """How a message names the row it is about: by its number, and a piece of its key's hash.

    A spool may outlive its database: the number alone would then be another alert's.
    """
    return f"{row}-{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:_DIGITS]}"


class Ledger:
    """Takes outcomes from any thread and writes them in one of its own. What the database refuses is tried again."""

    def __init__(self, engine: Engine, outbox: Outbox, clock: Callable[[], float]) -> None:
        """Starts nothing."""
        self._engine = engine
        self._outbox = outbox
        self._clock = clock
        self._waiting: deque[tuple[tuple[str, ...], Outcome]] = deque()
        self._failing = False
        self.counts: Counter[str] = Counter()
        """Outcome to how many alerts had it, each time they had."""
        self._thread = Background("agentcop-alerts-told", self._step)

    def __call__(self, refs: Sequence[str], outcome: Outcome) -> None:
        """Note it; neither raises nor blocks."""
        if refs:
            self._waiting.append((tuple(refs), outcome))
            self._thread.wake()

    def rest(self, seconds: float) -> bool:
        """Whether all that was noted is written, within `seconds`."""
        return self._thread.rest(seconds) and not self._waiting

    def close(self, seconds: float) -> None:
        """Write what was noted, for at most `seconds`, and end the thread; what comes later starts another."""
        self.rest(seconds)
        self._thread.end(seconds)

    def _step(self) -> float | None:
        while self._waiting:
            batch = list(islice(self._waiting, _AT_ONCE))
            try:
                self._write(batch)
            except SQLAlchemyError:
                if not self._failing:
                    self._failing = True
                    _log.exception("agentcop: what became of alerts cannot be written to the database; it is kept")
                return _AGAIN
            self._failing = False
            for refs, outcome in batch:
                self._waiting.popleft()
                self.counts[outcome] += len(refs)
        return None

    def _write(self, batch: Iterable[tuple[tuple[str, ...], Outcome]]) -> None:
        with self._engine.begin() as connection:
            for refs, outcome in batch:
                if outcome == "failed":
                    refs = self._hopeless(refs)  # noqa: PLW2901 -- those that no other channel will take either
                for start in range(0, len(refs), _CHUNK):
                    part = {int(ref.partition("-")[0]): ref for ref in refs[start : start + _CHUNK] if _is_ref(ref)}
                    query = select(ALERTS.c.id, ALERTS.c.key).where(ALERTS.c.id.in_(part))
                    ids = [row.id for row in connection.execute(query) if part[row.id] == ref_of(row.id, row.key)]
                    change = update(ALERTS).where(ALERTS.c.id.in_(ids))
                    if outcome not in _ARRIVED:
                        change = change.where(ALERTS.c.told.not_in(_ARRIVED))
                    connection.execute(change.values(told=outcome, told_at=self._clock()))

    def _hopeless(self, refs: tuple[str, ...]) -> tuple[str, ...]:
        try:
            waiting = {ref for _, item in self._outbox.waiting() for ref in item.refs}
        except OSError:
            return refs
        return tuple(ref for ref in refs if ref not in waiting)


def _is_ref(ref: str) -> bool:
    number, dash, rest = ref.partition("-")
    return bool(dash and rest) and number.isascii() and number.isdigit() and len(number) < len(str(2**63))
