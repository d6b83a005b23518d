"""Boxes whose call is over are killed by a thread of their own, so that no caller waits for an engine."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from agentcop_core.locks import safe_lock

if TYPE_CHECKING:
    from agentcop_processor.sandbox.boxes.conversation import Box


class Reaper:
    """Kills what it is given. Thread-safe. Nothing of a call runs any more in a box that comes here."""

    def __init__(self) -> None:
        """No thread yet."""
        self._lock = safe_lock()
        self._given: queue.SimpleQueue[Box | None] = queue.SimpleQueue()
        self._worker: threading.Thread | None = None
        self._open = 0
        self._closed = False

    def take(self, box: Box) -> None:
        """Kill it soon. Never blocks, never raises."""
        with self._lock:
            if self._closed:
                box.close()
                return
            self._open += 1
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._work, name="agentcop-sandbox-reaper", daemon=True)
                self._worker.start()
        self._given.put(box)

    def close(self) -> None:
        """Wait until all are killed, up to ten seconds; later ones are killed by whoever brings them."""
        with self._lock:
            self._closed, worker = True, self._worker
        self._given.put(None)
        if worker is not None and worker is not threading.current_thread():
            worker.join(timeout=10.0)

    def waiting(self) -> int:
        """How many are still to be killed."""
        with self._lock:
            return self._open

    def forget(self) -> None:
        """In a forked child: its parent's boxes are its parent's to kill."""
        self._given, self._worker, self._open, self._closed = queue.SimpleQueue(), None, 0, False

    def _work(self) -> None:
        while (box := self._given.get()) is not None:
            box.close()
            with self._lock:
                self._open -= 1
