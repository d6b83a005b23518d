"""The spans that wait in memory for the export thread, bounded in number and bytes, each once."""

from __future__ import annotations

import collections
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agentcop_processor.export.message import Waiting

BATCH_SPANS: Final = 512
BATCH_BYTES: Final = 1024 * 1024
"""A request of about this size passes gRPC's usual limit of 4 MiB with room to spare."""

_REMEMBERED: Final = 4096


class WaitingSpans:
    """A bounded queue. Thread-safe; never blocks for longer than a `take`; never raises."""

    def __init__(self, max_spans: int, max_bytes: int) -> None:
        """What comes beyond either limit is refused and counted."""
        self.batch_spans = min(BATCH_SPANS, max_spans)
        self._max_spans = max_spans
        self._max_bytes = max_bytes
        self.clear()

    def clear(self) -> None:
        """Begin anew. In a forked child: another thread of the parent may have held the lock."""
        # Reentrant: a span may end in a finaliser or signal handler that interrupts `put`.
        self._lock = threading.RLock()
        self._spans: collections.deque[Waiting] = collections.deque()
        self._bytes = 0
        self._recent: set[int] = set()
        self._older: set[int] = set()
        self.overflow = 0
        """Spans refused since the beginning."""

    def __len__(self) -> int:
        return len(self._spans)

    def put(self, span_id: int, waiting: Waiting) -> int:
        """How many wait now, this one included; 0 if it was not taken: seen lately, or no room."""
        with self._lock:
            if span_id in self._recent or span_id in self._older:
                return 0
            self._recent.add(span_id)
            if len(self._recent) >= _REMEMBERED:
                self._older, self._recent = self._recent, set()
            if len(self._spans) >= self._max_spans or self._bytes + waiting.size > self._max_bytes:
                self.overflow += 1
                return 0
            self._spans.append(waiting)
            self._bytes += waiting.size
            return len(self._spans)

    def take(self) -> list[Waiting]:
        """The oldest, one batch at most; empty when none wait."""
        batch: list[Waiting] = []
        size = 0
        with self._lock:
            while self._spans and len(batch) < self.batch_spans and size < BATCH_BYTES:
                batch.append(self._spans.popleft())
                size += batch[-1].size
            # Starting from zero again heals what an interrupted `put` may have miscounted.
            self._bytes = self._bytes - size if self._spans else 0
        return batch
