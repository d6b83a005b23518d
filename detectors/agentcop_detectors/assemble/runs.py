"""Steps into runs by trace id: late, twice, out of order, without end; never more than a bounded amount of them."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, Literal

from agentcop_detectors.assemble.held import Held
from agentcop_detectors.segments.tail import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agentcop_detectors.run import Closed, Run
    from agentcop_detectors.segments.spans import Found
    from agentcop_detectors.step import Step

CARRIED: Final = 200
"""Runs that began segments ago and are fetched after a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds of our clock, sizes in bytes."""

    quiet: float = 1.0
    """A run of which nothing new came for so long is looked at."""
    busy: float = 10.0
    """And so often while it goes on."""
    settle: float = 2.0
    """How long a run whose root has ended waits for what is still on its way."""
    idle: float = 600.0
    """A run of which nothing was heard for so long is over."""
    longest: float = 6 * 3_600.0
    """And one that was open for so long: a restart has to read again from where the oldest open run began."""
    remembered: float = 120.0
    """How long a closed run is kept in memory for what comes late."""
    steps: int = 5_000
    """Steps that are held of one run; past that the earlier half is shed."""
    run_bytes: int = 8 * 1024 * 1024
    """Bytes that are held of one run; past that its further steps are held without their content."""
    bytes: int = 192 * 1024 * 1024
    """Bytes that are held of all runs, about; past that the oldest are closed."""


Counted = Literal["duplicates", "shed", "trimmed", "reopened", "recalled", "unrecalled", "closed_for_room"]
"""`shed`: steps that a run without end no longer holds. `trimmed`: steps held without their content. `reopened`: closed
runs to which something came late; `recalled`: those of them that had to be fetched from the segments, `unrecalled`:
that could not be, in time. `closed_for_room`: runs closed because memory was full."""


class Runs:
    """The runs that are open, and those closed a moment ago. One thread; time comes in, and must not go back."""

    def __init__(self, limits: Limits | None = None) -> None:
        """`limits`: None takes the defaults."""
        self._limits = limits if limits is not None else Limits()
        self._open: OrderedDict[bytes, Held] = OrderedDict()  # by when they were last heard of
        self._closed: OrderedDict[bytes, Held] = OrderedDict()  # by when they were closed
        self._agenda: list[tuple[float, bytes]] = []  # each open run at least once, never later than it is due
        self._bytes = 0
        self.counts: Counter[Counted] = Counter()

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    @property
    def held_bytes(self) -> int:
        """What is held in memory, about."""
        return self._bytes

    def has(self, trace_id: bytes) -> bool:
        """Whether a step of this trace needs nothing from elsewhere."""
        return trace_id in self._open or trace_id in self._closed

    def begin(self, run: Run, at: Position) -> None:
        """A run whose steps are still to come. `at`: the frame that is read."""
        self._open[run.trace_id] = held = Held(run, at)
        self._bytes += held.bytes

    def recall(self, run: Run, found: Iterable[Found], at: Position) -> bool:
        """Take a run back whose steps are no longer in memory, closed if it was; whether there were any steps."""
        (self._closed if run.closed else self._open)[run.trace_id] = held = Held(run, at)
        self._bytes += held.bytes
        for received, step in found:
            self._put(held, step, received)
            if run.full:
                self.shed(run)
        held.unlooked = not run.closed
        if not run.closed:
            self._schedule(held)
        return run.total > 0

    def adopt(self, run: Run, at: Position) -> None:
        """Take a closed run back that was let go of, and is not in the database yet."""
        self._closed[run.trace_id] = held = Held.of(run, at)
        self._bytes += held.bytes

    def add(self, step: Step, *, received: float, position: Position) -> Run | None:
        """Put a step into its run, which must be there, and give that run; None for a step that is there already.

        `received`: by our clock, in seconds since the epoch. `position`: of the frame that held it. A run that comes
        back `full` must be looked at and then `shed`.
        """
        held = self._open.get(step.trace_id)
        if held is None:
            held = self._closed[step.trace_id]
            if step.span_id in held.ids:  # nothing new: it stays closed
                self._twice(held)
                return None
            self._open[step.trace_id] = self._closed.pop(step.trace_id)
            self._reopen(held, position)
        if not self._put(held, step, received):
            self._twice(held)
            return None
        self._open.move_to_end(step.trace_id)
        self._schedule(held)
        held.run.last_segment = max(held.run.last_segment, position.segment)
        return held.run

    def events(self, until: float) -> Iterator[Run]:
        """The runs that are to be looked at by then, in the order of their times; `closed` says which are over.

        The same steps give the same events in the same order, however often this is called between them.
        """
        agenda = self._agenda
        while agenda and agenda[0][0] <= until:
            at, trace_id = heappop(agenda)
            held = self._open.get(trace_id)
            if held is None or held.scheduled != at:
                continue  # closed meanwhile, or an earlier entry stood for it
            due = held.due(self._limits)
            if due <= at:
                if why := held.over(at, self._limits):
                    self._close(held, why)
                else:
                    held.unlooked = False
                    held.looked = at
                if not held.run.partial:
                    yield held.run
                if held.run.closed:
                    continue
                due = held.due(self._limits)
            held.scheduled = due
            heappush(agenda, (due, trace_id))
        self._forget(until)

    def make_room(self) -> Iterator[Run]:
        """Runs that had to be closed because memory is full, the oldest first; closed ones are let go of before."""
        while self._bytes > self._limits.bytes and self._closed:
            self._let_go(next(iter(self._closed)))
        while self._bytes > self._limits.bytes and self._open:
            held = next(iter(self._open.values()))
            self.counts["closed_for_room"] += 1
            self._close(held, "room")
            if not held.run.partial:
                yield held.run
            self._let_go(held.run.trace_id)
        if len(self._agenda) > 2 * len(self._open) + 1_000:
            self._agenda = sorted((held.scheduled, trace_id) for trace_id, held in self._open.items())

    def shed(self, run: Run) -> None:
        """Let go of the earlier half of a full run, after it was looked at."""
        held = self._open.get(run.trace_id) or self._closed[run.trace_id]
        before = held.bytes
        self.counts["shed"] += held.shed()
        self._bytes += held.bytes - before

    def forget(self, is_meant: Callable[[Run], bool]) -> None:
        """Let go of some runs as if they had never been."""
        found = [held for held in (*self._open.values(), *self._closed.values()) if is_meant(held.run)]
        for held in found:
            self._open.pop(held.run.trace_id, None)
            self._closed.pop(held.run.trace_id, None)
            self._bytes -= held.bytes

    def resume(self, counted: Position) -> Position:
        """Where a restart has to begin to have the open runs again: at most `counted`.

        But for the few oldest that began segments ago: it takes less to fetch them than to read all since they began.
        """
        floor = Position(counted.segment - 1, 0)
        old: list[Position] = []
        least = counted
        for held in self._open.values():
            first = held.first_frame
            if first < floor:
                old.append(first)
            elif first < least:
                least = first
        return least if len(old) <= CARRIED else sorted(old)[CARRIED]

    def _put(self, held: Held, step: Step, received: float) -> bool:
        before = held.bytes
        new, trimmed = held.put(step, received, self._limits)
        self._bytes += held.bytes - before
        self.counts["trimmed"] += trimmed
        return new

    def _schedule(self, held: Held) -> None:
        due = held.due(self._limits)
        if due < held.scheduled:
            held.scheduled = due
            heappush(self._agenda, (due, held.run.trace_id))

    def _twice(self, held: Held) -> None:
        held.run.duplicates += 1
        self.counts["duplicates"] += 1

    def _reopen(self, held: Held, position: Position) -> None:
        held.reopen(position)
        self.counts["reopened"] += 1

    def _close(self, held: Held, why: Closed) -> None:
        run = held.run
        del self._open[run.trace_id]
        run.closed = why
        run.closings += 1
        self._closed[run.trace_id] = held

    def _forget(self, now: float) -> None:
        while self._closed:
            trace_id, held = next(iter(self._closed.items()))
            if now - held.run.seen < self._limits.remembered:
                return
            self._let_go(trace_id)

    def _let_go(self, trace_id: bytes) -> None:
        self._bytes -= self._closed.pop(trace_id).bytes
