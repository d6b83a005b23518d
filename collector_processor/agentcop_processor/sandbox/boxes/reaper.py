"""Boxes whose call is over are killed by threads of their own, so that no caller waits for an engine."""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING, Final

from agentcop_core.locks import safe_lock

if TYPE_CHECKING:
    from agentcop_processor.sandbox.boxes.conversation import Box

_log = logging.getLogger("agentcop")
AT_ONCE: Final = 4
"""How many are being killed at a time: one that an engine is slow with does not hold up the others."""
_MANY: Final = 16
"""From here on it is said how many are left, each time that they are twice as many."""
_IDLE: Final = 5.0
_TO_END: Final = 10.0


class Reaper:
    """Kills what it is given. Thread-safe. Nothing of a call runs any more in a box that comes here."""

    def __init__(self) -> None:
        """No thread yet."""
        self._lock = safe_lock()
        self._begin()

    def take(self, box: Box) -> None:
        """Kill it soon. Never raises; blocks, for as long as a kill takes, only where there can be no thread."""
        if not self._ordered(box):
            box.close()

    def left(self) -> int:
        """How many are still to be killed."""
        with self._lock:
            return self._left

    def settled(self, below: int, seconds: float) -> bool:
        """Whether less than `below` are still to be killed, now or within so many seconds. Blocks until then."""
        with self._lock:
            return self._fewer.wait_for(lambda: self._left < below, timeout=seconds)

    def close(self) -> None:
        """Wait until all are killed, up to ten seconds; later ones are killed by whoever brings them."""
        with self._lock:
            self._closed = True
        if not self.settled(1, _TO_END):
            # Their standard input ends with this process, and a supervisor's end is its box's.
            _log.error("agentcop: %d boxes could not be removed in %g s", self.left(), _TO_END)

    def forget(self) -> None:
        """In a forked child: its parent's boxes are its parent's to kill."""
        self._begin()

    def _begin(self) -> None:
        self._given: queue.SimpleQueue[Box] = queue.SimpleQueue()
        self._fewer = threading.Condition(self._lock)
        self._workers = 0
        self._left = 0
        self._closed = False

    def _ordered(self, box: Box) -> bool:
        """Whether a thread will kill it."""
        with self._lock:
            if self._closed:
                return False
            if self._workers < min(self._left + 1, AT_ONCE):
                try:
                    threading.Thread(target=self._work, name="agentcop-sandbox-reaper", daemon=True).start()
                    self._workers += 1
                except RuntimeError:  # no room for a thread, or the interpreter ends
                    if not self._workers:
                        return False
            self._left += 1
            self._given.put(box)
            left = self._left
        if left >= _MANY and not left & (left - 1):
            _log.warning("agentcop: %d boxes whose call is over wait to be removed: their engine is slow", left)
        return True

    def _work(self) -> None:
        while (box := self._next()) is not None:
            try:
                box.close()
            finally:
                with self._lock:
                    self._left -= 1
                    self._fewer.notify_all()

    def _next(self) -> Box | None:
        """The next one; None: there was none for a while, and this thread ends."""
        try:
            return self._given.get(timeout=_IDLE)
        except queue.Empty:
            pass
        with self._lock:  # what was given since is in the queue by now, and counted on this thread
            try:
                return self._given.get_nowait()
            except queue.Empty:
                self._workers -= 1
                return None
