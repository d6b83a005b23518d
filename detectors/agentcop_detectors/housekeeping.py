"""What goes on beside the scoring, in the same process: sealing segments, deleting what is too old, erasing agents."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

from agentcop_detectors.segments.names import segment_paths
from agentcop_detectors.store import deletion

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Engine

    from agentcop_detectors.segments.spans import SpanStore
    from agentcop_detectors.segments.tail import Position
    from agentcop_detectors.store.deletion import Erasure

_log = logging.getLogger("agentcop")

_EVERY_SECONDS: Final = 600.0
"""How often what is too old is looked for."""


class Housekeeping:
    """Call `step` about each second, from one thread that is not the scorer's. Never raises: faults are counted."""

    def __init__(  # noqa: PLR0913 -- two stores, where they are, how long they keep, and how far is read
        self,
        engine: Engine,
        spans: SpanStore,
        folder: Path,
        *,
        retain: float | None,
        resume: Callable[[], Position],
        forget: Callable[[str], None],
    ) -> None:
        """`spans`: an instance of its own. `retain`: seconds; None keeps all.

        `resume`: the scorer's, as committed. `forget`: has the scorer let go of an agent, in its own thread, and
        returns once it has.
        """
        self._engine = engine
        self._spans = spans
        self._folder = folder
        self._retain = retain
        self._resume = resume
        self._forget = forget
        self._deleted_at = 0.0
        self.sealed = 0
        """Segments sealed since the start."""
        self.deleted_segments = 0
        self.faults = 0

    def step(self, now: float) -> None:
        """Seal one segment if there is one, carry out what was asked, delete what is too old. Blocks, for a second."""
        try:
            if self._spans.seal(self._resume()) is not None:
                self.sealed += 1
            for erasure in deletion.erasures(self._engine):
                self._erase(erasure)
            if self._retain is not None and now - self._deleted_at >= _EVERY_SECONDS:
                self._deleted_at = now
                self._delete(now - self._retain)
        except (SQLAlchemyError, OSError):
            self.faults += 1
            _log.exception("agentcop: housekeeping failed; it is tried again")

    def _delete(self, when: float) -> None:
        self.deleted_segments += (segments := self._spans.delete_before(when))
        deleted = deletion.delete_before(self._engine, when)
        if segments or any(deleted):
            _log.info("agentcop: older than --retain, deleted: %d segments, %s", segments, deleted)

    def _erase(self, erasure: Erasure) -> None:
        if erasure.last_segment is None:
            self._forget(erasure.agent_id)
            # The scorer may have written rows between the deletion and now.
            deletion.delete_rows_of(self._engine, erasure.agent_id)
            last = self._last_open()
            deletion.heard(self._engine, erasure.id, last)
            self._spans.forget(erasure.traces, last)
        elif not any(number <= erasure.last_segment for number, _ in segment_paths(self._folder)):
            # All that may hold its spans is sealed by now: the rest goes in one more pass.
            self._spans.forget(erasure.traces, erasure.last_segment)
            deletion.done(self._engine, erasure.id)
            _log.info("agentcop: no segment holds the spans of %r any more", erasure.agent_id)

    def _last_open(self) -> int:
        return max((number for number, _ in segment_paths(self._folder)), default=0)
