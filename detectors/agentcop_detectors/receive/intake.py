"""What both protocols share: whether there is room, and the way of one request to the disk."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from agentcop_detectors.receive.bodies import LARGEST_SPAN, MAX_BODY, checked, unpacked
from agentcop_detectors.receive.tokens import Tokens
from agentcop_detectors.segments.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_detectors.segments.frame import Encoding
    from agentcop_detectors.segments.log import NotWritten, SegmentLog

MAX_IN_FLIGHT: Final = 128 * 1024 * 1024
"""Bytes of requests that are held in memory at once."""
MAX_LAG: Final = 20 * 1024 * 1024
"""Bytes on disk that the scorer has not dealt with: past that, alerts would fall minutes behind acknowledgements."""
RETRY_SECONDS: Final = 1
"""How long a refused client is asked to wait."""

Counted = Literal[
    "requests",
    "spans",
    "bytes",
    "rejected_spans",
    "malformed",
    "too_large",
    "refused_busy",
    "refused_token",
    "not_written",
]


class Busy(Exception):  # noqa: N818 -- the answer to a request
    """There is no room now; the client should come again."""


@dataclass(slots=True)
class Counts:
    """What the front did since it started. Thread-safe."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counts: dict[Counted, int] = field(default_factory=dict)

    def add(self, what: Counted, number: int = 1) -> None:
        """Count."""
        with self._lock:
            self._counts[what] = self._counts.get(what, 0) + number

    def all(self) -> dict[Counted, int]:
        """A copy."""
        with self._lock:
            return dict(self._counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What will be acknowledged, once it is on disk."""

    spans: int
    rejected: int


class Intake:
    """Takes requests for the segment log, within bounds of memory and of the scorer's lag. Thread-safe."""

    def __init__(  # noqa: PLR0913 -- bounds with defaults, and where time and lag come from
        self,
        log: SegmentLog,
        *,
        tokens: Tokens | None = None,
        lag: Callable[[], int] = lambda: 0,
        max_body: int = MAX_BODY,
        max_in_flight: int = MAX_IN_FLIGHT,
        max_lag: int = MAX_LAG,
        largest_span: int = LARGEST_SPAN,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`lag`: bytes on disk that the scorer has not dealt with yet."""
        self.tokens = tokens if tokens is not None else Tokens(agents={})
        self.counts = Counts()
        self.max_body = max_body
        self._log = log
        self._lag = lag
        self._max_in_flight = max_in_flight
        self._max_lag = max_lag
        self._largest_span = largest_span
        self._now_ns = now_ns
        self._held = 0
        self._lock = threading.Lock()
        self.draining = False

    def hold(self, size: int) -> None:
        """Make room in memory for `size` bytes, to be given back by `give_back`. Raises Busy."""
        with self._lock:
            busy = self.draining or self._held + self._log.bytes_waiting + size > self._max_in_flight
            if not busy:
                self._held += size
        if busy or self._lag() > self._max_lag:
            if not busy:
                self.give_back(size)
            self.counts.add("refused_busy")
            raise Busy

    def give_back(self, size: int) -> None:
        """What `hold` took."""
        with self._lock:
            self._held -= size

    def take(
        self, body: bytes, encoding: Encoding, coding: str, source: str, done: Callable[[NotWritten | None], None]
    ) -> Taken:
        """Check a request and hand it to the disk; `done` is called from another thread once it is there, or not.

        Raises Malformed or TooLarge, and then `done` is not called.
        """
        unpacked_body = unpacked(body, coding, self.max_body)
        counted = checked(unpacked_body, encoding, self._largest_span)
        if counted.rejected:
            self.counts.add("rejected_spans", counted.rejected)
        taken = Taken(spans=counted.spans, rejected=counted.rejected)
        if not counted.spans:
            done(None)
            return taken
        size = len(counted.body)

        def written(failed: NotWritten | None) -> None:
            if failed is None:
                self.counts.add("requests")
                self.counts.add("spans", counted.spans)
                self.counts.add("bytes", size)
            else:
                self.counts.add("not_written")
            done(failed)

        self._log.append(Frame(encoding, self._now_ns(), source, counted.body), written)
        return taken
