"""Housekeeping beside the scorer: a thread of its own, that asks the scorer's for what only that may do."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Final

from agentcop_detectors.forward.position import load_position
from agentcop_detectors.housekeeping import Housekeeping
from agentcop_detectors.segments.spans import SpanStore

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from agentcop_detectors.scorer import Scorer
    from agentcop_detectors.segments.tail import Position
    from agentcop_detectors.service.settings import Settings

_EVERY_SECONDS: Final = 1.0
_DAY: Final = 86_400.0


class Keeping:
    """Seals, deletes and erases about once a second, until stopped."""

    def __init__(self, scorer: Scorer, engine: Engine, settings: Settings) -> None:
        """Starts nothing."""
        self._scorer = scorer
        self._settings = settings
        self._asked: queue.SimpleQueue[tuple[str, threading.Event]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._work = Housekeeping(
            engine,
            SpanStore(settings.segments),
            settings.segments,
            retain=settings.retain_days * _DAY,
            resume=self._read_by_all,
            forget=self._forget,
        )
        self._thread = threading.Thread(target=self._run, name="agentcop-housekeeping", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is under way; at most some seconds, after which it is left to die with the process."""
        self._stop.set()
        self.serve()
        self._thread.join(5.0)

    def serve(self) -> None:
        """Do what was asked of the scorer's thread, on that thread."""
        while not self._asked.empty():
            agent_id, done = self._asked.get()
            self._scorer.forget(agent_id)
            done.set()

    def counts(self) -> dict[str, int]:
        """Since the start."""
        work = self._work
        return {
            "sealed_segments": work.sealed,
            "deleted_segments": work.deleted_segments,
            "housekeeping_faults": work.faults,
        }

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_SECONDS):
            self._work.step(time.time())

    def _read_by_all(self) -> Position:
        """What lies before is read in order by nobody any more, also after a restart."""
        read = self._scorer.resume
        if self._settings.forward is not None:
            read = min(read, load_position(self._settings.forward_position))
        return read

    def _forget(self, agent_id: str) -> None:
        done = threading.Event()
        self._asked.put((agent_id, done))
        while not done.wait(0.1):
            if self._stop.is_set():
                raise OSError("the scorer is ending; the erasure goes on at the next start")
