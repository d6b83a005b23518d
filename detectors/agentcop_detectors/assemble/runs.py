"""Steps into runs by trace id: late, twice, out of order, without end; never more than a bounded number of them."""

from __future__ import annotations

from bisect import insort
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Final, Literal

from agentcop_detectors.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_detectors.run import Closed
    from agentcop_detectors.segments.tail import Position
    from agentcop_detectors.step import Step

IDLE_SECONDS: Final = 600.0
"""A run of which nothing was heard for so long is over."""
SETTLE_SECONDS: Final = 2.0
"""How long a run whose root has ended waits for what is still on its way."""
REMEMBERED_SECONDS: Final = 600.0
"""How long a closed run can still take what comes late."""
MAX_STEPS: Final = 5_000
"""Steps that are kept of one run; further ones are counted."""
MAX_HELD: Final = 400_000
"""Steps that are held of all runs together: past that the oldest runs are closed."""

Counted = Literal["duplicates", "over_limit", "closed_for_room", "reopened"]


class Runs:
    """The runs that are open, and those closed a moment ago. One thread; time comes in."""

    def __init__(
        self,
        *,
        idle: float = IDLE_SECONDS,
        settle: float = SETTLE_SECONDS,
        remembered: float = REMEMBERED_SECONDS,
        max_steps: int = MAX_STEPS,
        max_held: int = MAX_HELD,
    ) -> None:
        """Times in seconds."""
        self._idle = idle
        self._settle = settle
        self._remembered = remembered
        self._max_steps = max_steps
        self._max_held = max_held
        self._open: OrderedDict[bytes, _Held] = OrderedDict()  # by when they were last heard of
        self._closed: OrderedDict[bytes, _Held] = OrderedDict()  # by when they were closed
        self._steps = 0
        self.counts: Counter[Counted] = Counter()

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    @property
    def steps(self) -> int:
        """Steps held in memory."""
        return self._steps

    def add(self, step: Step, *, received: float, position: Position) -> Run | None:
        """Put a step into its run, and that run; None for a step that is there already, or over the limit.

        `received`: by our clock, in seconds since the epoch. `position`: of the frame that held it.
        """
        held = self._open.get(step.trace_id)
        if held is None:
            held = self._closed.pop(step.trace_id, None)
            if held is None:
                held = _Held(Run(trace_id=step.trace_id, started=step.start), position)
            else:
                held.run.closed = ""
                held.first_frame = position
                self.counts["reopened"] += 1
            self._open[step.trace_id] = held
        else:
            self._open.move_to_end(step.trace_id)
        run = held.run
        run.seen = max(run.seen, received)
        if step.span_id in held.ids:
            run.duplicates += 1
            self.counts["duplicates"] += 1
            return None
        if len(held.ids) >= self._max_steps:
            run.dropped += 1
            self.counts["over_limit"] += 1
            return None
        held.ids.add(step.span_id)
        self._steps += 1
        _put(run, step)
        if not step.parent_id:
            held.root_ended = True
        return run

    def due(self, now: float) -> Iterator[Run]:
        """Close what is over, and forget what was closed long ago. `now`: seconds since the epoch, by our clock."""
        for trace_id, held in list(self._open.items()):
            quiet = now - held.run.seen
            if quiet < self._settle:
                break  # all behind it were heard of later
            if held.root_ended:
                yield self._close(trace_id, "root")
            elif quiet >= self._idle:
                yield self._close(trace_id, "idle")
        while self._steps > self._max_held and self._open:
            self._forget_closed(now, everything=True)
            if self._steps <= self._max_held:
                break
            self.counts["closed_for_room"] += 1
            yield self._close(next(iter(self._open)), "room")
        self._forget_closed(now)

    def resume(self, counted: Position) -> Position:
        """Where a restart has to begin to have every open run again: at most `counted`."""
        return min((held.first_frame for held in self._open.values()), default=counted)

    def _close(self, trace_id: bytes, why: Closed) -> Run:
        held = self._open.pop(trace_id)
        held.run.closed = why
        self._closed[trace_id] = held
        return held.run

    def _forget_closed(self, now: float, *, everything: bool = False) -> None:
        while self._closed:
            trace_id, held = next(iter(self._closed.items()))
            if not everything and now - held.run.seen < self._remembered:
                return
            del self._closed[trace_id]
            self._steps -= len(held.ids)


class _Held:
    """A run with what is needed to keep it."""

    __slots__ = ("first_frame", "ids", "root_ended", "run")

    def __init__(self, run: Run, first_frame: Position) -> None:
        self.run = run
        self.first_frame = first_frame
        self.ids: set[bytes] = set()
        self.root_ended = False


def _put(run: Run, step: Step) -> None:
    steps = run.steps
    if not steps or steps[-1].start <= step.start:
        steps.append(step)
    else:
        insort(steps, step, key=lambda each: each.start)
    run.started = min(run.started, step.start) if run.started else step.start
    run.ended = max(run.ended, step.end)
    outermost = step.kind == "agent" and not step.parent_id
    if step.agent_id and (not run.agent_id or outermost):
        run.agent_id = step.agent_id
    if step.session_id and (not run.session_id or outermost):
        run.session_id = step.session_id
    run.environment = run.environment or step.environment
    run.service = run.service or step.service
