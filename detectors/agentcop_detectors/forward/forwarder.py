"""Sends the segment log on to another endpoint, in order, from where it stopped last."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal

from agentcop_detectors.forward.batch import part_of
from agentcop_detectors.forward.position import load_position, save_position
from agentcop_detectors.segments.names import segment_paths
from agentcop_detectors.segments.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agentcop_core.otlp.sender import Sender
    from agentcop_detectors.forward.batch import Part
    from agentcop_detectors.receive.tokens import Tokens

_log = logging.getLogger("agentcop")

MAX_BEHIND: Final = 512 * 1024 * 1024
"""Bytes that wait on disk for a target that does not take them; past that the oldest are passed over."""
_BATCH_FRAMES: Final = 500
_BATCH_BYTES: Final = 2 * 1024 * 1024
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
_LONGEST_ASKED: Final = 60.0
_TIMEOUT: Final = 10.0

Counted = Literal[
    "forwarded_requests",
    "forwarded_spans",
    "forward_failures",
    "forward_dropped_late",
    "forward_dropped_refused",
    "forward_dropped_rejected",
    "forward_dropped_unconvertible",
    "forward_dropped_foreign",
    "forward_skipped_segments",
]
"""The dropped are spans, but for `unconvertible`: requests. `late`: the target was away for too long. `refused`: it
said that they are malformed. `rejected`: it took the request without them. `foreign`: the sender's token does
not speak for their agent. `skipped_segments`: gone before they were
read."""


class Forwarder:
    """One thread. Delivery is at least once: what was under way when it was killed is sent again."""

    def __init__(  # noqa: PLR0913 -- where from, how far, where to; the rest has defaults
        self,
        segments: Path,
        position: Path,
        sender: Sender,
        *,
        tokens: Tokens | None = None,
        max_behind: int = MAX_BEHIND,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`position`: the file that says how far it came. Opens nothing."""
        self._segments = segments
        self._path = position
        self._sender = sender
        self._tokens = tokens
        self._max_behind = max_behind
        self._clock = clock
        self._jitter = jitter
        self._at = load_position(position)
        self._tail = Tail(segments, self._at)
        self._waiting: list[Part] = []
        self._failures = 0
        self._away_until = 0.0
        self._skipped = 0
        self.counts: Counter[Counted] = Counter()
        self.why = ""
        """What the last attempt said, while the target takes nothing."""

    @property
    def behind(self) -> int:
        """Bytes on disk that are not forwarded yet. Raises OSError."""
        sizes = [
            (number, path.stat().st_size)
            for number, path in segment_paths(self._segments)
            if number >= self._at.segment
        ]
        return sum(size - (self._at.offset if number == self._at.segment else 0) for number, size in sizes)

    def step(self) -> float:
        """Send a batch, if it is time; for how many seconds there is nothing to do. Blocks; raises OSError."""
        now = self._clock()
        if now < self._away_until:
            self._pass_over()
            return min(1.0, self._away_until - now)
        if not self._waiting:
            self._waiting = self._read()
        if not self._waiting:
            return 0.05
        return self._send(self._waiting)

    def close(self) -> None:
        """Let files and connection go."""
        self._tail.close()
        self._sender.close()

    def _read(self) -> list[Part]:
        parts: list[Part] = []
        size = 0
        for _, frame in self._tail.frames(_BATCH_FRAMES):
            part = part_of(frame, self._tail.position, self._tokens)
            self.counts["forward_dropped_unconvertible"] += not (part.body or part.foreign)
            self.counts["forward_dropped_foreign"] += part.foreign
            parts.append(part)
            size += len(part.body)
            if size >= _BATCH_BYTES:
                break
        if self._tail.skipped > self._skipped:
            gone = self._tail.skipped - self._skipped
            self._skipped = self._tail.skipped
            self.counts["forward_skipped_segments"] += gone
            _log.error("agentcop: %d segments were gone before they were forwarded", gone)
        return parts

    def _send(self, parts: Sequence[Part]) -> float:
        body = b"".join(part.body for part in parts)
        spans = sum(part.spans for part in parts)
        if not spans:
            self._dealt_with(len(parts))
            return 0.0
        sent = self._sender.send(body, _TIMEOUT)
        if sent.outcome == "later":
            self._failed(sent.why, sent.wait)
            return 0.0
        if self._failures:
            _log.warning("agentcop: forwarding goes on after %d failed attempts", self._failures)
        self._failures, self.why = 0, ""
        if sent.outcome == "refused" and len(parts) > 1:
            # One of them is at fault, and must not cost the others.
            return self._send(parts[: len(parts) // 2])
        if sent.outcome == "refused":
            self.counts["forward_dropped_refused"] += spans
            _log.error("agentcop: the target of --forward refused %d spans (%s); dropped", spans, sent.why)
        else:
            self.counts["forwarded_requests"] += 1
            self.counts["forwarded_spans"] += spans - min(sent.rejected, spans)
            if sent.rejected:
                self.counts["forward_dropped_rejected"] += min(sent.rejected, spans)
                _log.error("agentcop: the target of --forward rejected %d spans: %s", sent.rejected, sent.why)
        self._dealt_with(len(parts))
        return 0.0

    def _dealt_with(self, number: int) -> None:
        self._at = self._waiting[number - 1].after
        del self._waiting[:number]
        save_position(self._path, self._at)

    def _failed(self, why: str, wait: float) -> None:
        self.counts["forward_failures"] += 1
        self._failures += 1
        pause = min(_FIRST_PAUSE * 2 ** min(self._failures - 1, 10), _LONGEST_PAUSE) * (0.5 + self._jitter() / 2)
        self._away_until = self._clock() + max(pause, min(wait, _LONGEST_ASKED))
        if self._failures == 1:
            _log.warning("agentcop: the target of --forward takes nothing (%s); tried again, with pauses", why)
        self.why = why

    def _pass_over(self) -> None:
        """Drop the oldest, down to half of the bound, where too much waits."""
        if self.behind <= self._max_behind:
            return
        dropped = 0
        while self.behind > self._max_behind // 2:
            if not self._waiting:
                self._waiting = self._read()
            if not self._waiting:
                break
            # A tenth of what is waiting at a time: `behind` looks at the folder.
            number = max(1, len(self._waiting) // 10)
            dropped += sum(part.spans for part in self._waiting[:number])
            self._at = self._waiting[number - 1].after
            del self._waiting[:number]
        self.counts["forward_dropped_late"] += dropped
        save_position(self._path, self._at)
        _log.error("agentcop: %d spans are not forwarded: the target was away for too long (%s)", dropped, self.why)
