"""Reads the spool of this machine into the segment log."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal

from agentcop_core.home import make_private
from agentcop_core.spool import SpoolReader, read_dropped
from agentcop_detectors.receive.bodies import MAX_BODY, Malformed, checked
from agentcop_detectors.receive.intake import MAX_LAG
from agentcop_detectors.segments.frame import Encoding, Frame
from agentcop_detectors.segments.tail import BEGINNING
from agentcop_detectors.spool.positions import Positions, Read, caught_up, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agentcop_core.spool import SpoolLine
    from agentcop_detectors.segments.log import NotWritten, SegmentLog

_log = logging.getLogger("agentcop")

LOOK_SECONDS: Final = 0.1
"""How often the spool is looked at: so long can a span lie there."""
_AWAY_SECONDS: Final = 1.0
_GROUP_LINES: Final = 500
_GROUP_BYTES: Final = 8 * 1024 * 1024
_LOST_SECONDS: Final = 2.0
_LONGEST_NAME: Final = 150

Counted = Literal[
    "spool_requests",
    "spool_spans",
    "spool_bytes",
    "spool_malformed",
    "spool_rejected_spans",
    "spool_torn",
    "spool_faults",
]
"""`malformed`: lines that are no request, passed over. `torn`: half lines of writers that died."""


class SpoolIntake:
    """One thread that is the spool's consumer: each line goes into the log, and is removed once it is there.

    It stands back while the scorer lags, and while another detector reads the same spool.
    """

    def __init__(  # noqa: PLR0913 -- where from, where to, how far; the rest has defaults
        self,
        folder: Path,
        log: SegmentLog,
        *,
        positions: Path,
        segments: Path,
        lag: Callable[[], int] = lambda: 0,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`folder`: the spool. `positions`: the file that says how far it was read. `segments`: the log's folder.

        Opens nothing.
        """
        self._folder = folder
        self._log = log
        self._kept = Positions(positions)
        self._segments = segments
        self._lag = lag
        self._now_ns = now_ns
        self._read = Read({}, BEGINNING)
        self._reader: SpoolReader | None = None
        self._lines: Iterator[SpoolLine] | None = None
        self._torn = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agentcop-spool", daemon=True)
        self._lost_at = 0.0
        self.counts: Counter[Counted] = Counter()
        self.lost = 0
        """Spans that the agents say were lost before anybody could read them."""
        self.reading = False
        """Whether this is the spool's consumer."""

    def start(self) -> None:
        """Find out how far the spool was read, and read on. Blocks for that; raises OSError.

        The log must be open, and nobody else may write to it yet.
        """
        make_private(self._folder)
        self._read = caught_up(self._kept.load(), self._segments)
        self._kept.save(self._read)
        self._thread.start()

    def stop(self) -> None:
        """Finish the group of lines that is on its way, and let the spool go. Blocks."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                pause = LOOK_SECONDS
                try:
                    if not self._once():
                        self._stop.wait(pause)
                    continue
                except OSError:
                    pause = _AWAY_SECONDS
                    self._fault("agentcop: the spool %s cannot be read", self._folder)
                except Exception:
                    pause = _AWAY_SECONDS
                    self._fault("agentcop: reading the spool %s failed", self._folder)
                self._stop.wait(pause)
        finally:
            self._let_go()

    def _once(self) -> bool:
        """Take a group of lines; whether there were any."""
        self._see_losses()
        if self._lag() > MAX_LAG:
            return False
        reader = self._reader
        if reader is None:
            reader = SpoolReader(self._folder, positions=self._read.positions)
            if not reader.acquire():
                return False
            self._reader = reader
            self.reading = True
        if self._lines is None:
            self._lines = reader.lines(live=True)
        group: list[SpoolLine] = []
        size = 0
        for line in self._lines:
            group.append(line)
            size += len(line.data)
            if len(group) >= _GROUP_LINES or size >= _GROUP_BYTES or self._stop.is_set():
                break
        else:
            self._lines = None  # all that was there: the next look begins anew
        if group and not self._keep(group):
            self._let_go()  # what the log did not take is read again, from where the last group ended
            return False
        self._settle(reader, group)
        return bool(group)

    def _keep(self, group: list[SpoolLine]) -> bool:
        """Put the lines into the log; whether all of them are there."""
        outcomes: list[NotWritten | None] = []
        done = threading.Semaphore(0)

        def written(failed: NotWritten | None) -> None:
            outcomes.append(failed)
            done.release()

        waiting = 0
        taken: Counter[Counted] = Counter()
        for line in group:
            body = self._checked(line, taken)
            if body is not None:
                frame = Frame(Encoding.JSON, self._now_ns(), source_of(line.segment, line.end), body)
                self._log.append(frame, written)
                waiting += 1
        for _ in range(waiting):
            done.acquire()
        if any(failed is not None for failed in outcomes):
            return False
        self.counts += taken
        return True

    def _checked(self, line: SpoolLine, taken: Counter[Counted]) -> bytes | None:
        try:
            if len(line.data) > MAX_BODY:
                raise Malformed(f"it has {len(line.data)} bytes")  # noqa: TRY301 -- as what `checked` raises
            if len(line.segment) > _LONGEST_NAME:
                raise Malformed("the name of its file is none of ours")  # noqa: TRY301 -- as above
            counted = checked(line.data, Encoding.JSON)
        except Malformed as error:
            taken["spool_malformed"] += 1
            _log.error(
                "agentcop: a line of the spool is passed over: %s at byte %d of %s",
                error,
                line.offset,
                ascii(line.segment),
            )
            return None
        taken["spool_rejected_spans"] += counted.rejected
        if not counted.spans:
            return None
        taken["spool_requests"] += 1
        taken["spool_spans"] += counted.spans
        taken["spool_bytes"] += len(counted.body)
        return counted.body

    def _settle(self, reader: SpoolReader, group: list[SpoolLine]) -> None:
        """What is in the log is dealt with: keep how far, then remove what is finished."""
        if reader.torn > self._torn:
            self.counts["spool_torn"] += reader.torn - self._torn
            self._torn = reader.torn
        if group or reader.finished:
            # The reader counts a line as dealt with when it is asked for the next one; this one is.
            positions = reader.positions
            if group:
                positions[group[-1].segment] = group[-1].end
            self._read = Read(positions, self._log.end)
            self._kept.save(self._read)
        for segment in reader.finished:
            reader.ack(segment)

    def _see_losses(self) -> None:
        now = time.monotonic()
        if now >= self._lost_at:
            self._lost_at = now + _LOST_SECONDS
            lost = read_dropped(self._folder).spans
            if lost > self.lost:
                _log.error("agentcop: the agents of this machine have lost %d spans: the spool was full", lost)
            self.lost = lost

    def _let_go(self) -> None:
        if self._reader is not None:
            self._reader.release()
        self._reader = self._lines = None
        self._torn = 0
        self.reading = False

    def _fault(self, message: str, *arguments: object) -> None:
        self.counts["spool_faults"] += 1
        _log.exception(message, *arguments)
        self._let_go()
