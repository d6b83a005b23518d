"""Reads what was received, in order, and makes runs, verdicts and alerts of it. Can be killed at any moment.

See `docs/decisions/020-the-scorer-can-be-killed.md` for what the two positions mean, and why time is the log's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, NamedTuple

from agentcop_detectors.asking import AGENTS_HELD, Asking
from agentcop_detectors.assemble.runs import Runs
from agentcop_detectors.checks._interface import whose
from agentcop_detectors.counts import Counts
from agentcop_detectors.normalise import frames
from agentcop_detectors.run import Run
from agentcop_detectors.segments.position import Published
from agentcop_detectors.segments.spans import NS, SpanStore
from agentcop_detectors.segments.tail import Position, Tail
from agentcop_detectors.store.text import NAME, bounded
from agentcop_detectors.store.writer import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from agentcop_detectors.checks._interface import Anomaly, Check
    from agentcop_detectors.receive.tokens import Tokens
    from agentcop_detectors.segments.frame import Frame
    from agentcop_detectors.segments.spans import Found
    from agentcop_detectors.step import Step
    from agentcop_detectors.store.writer import Known, Store

_log = logging.getLogger("agentcop")

COMMIT_SECONDS: Final = 0.2
FOUND_SECONDS: Final = 0.05
"""The same where somebody has to be told of something."""
IN_FLIGHT_SECONDS: Final = 0.25
"""How long a frame may take from its time stamp to the disk: what is due by our clock waits for that."""
AHEAD_SECONDS: Final = 3_600.0
"""A frame that is stamped further in the future than that bears the mark of a clock that was wrong: it came now."""
RESUME_SECONDS: Final = 2.0
"""How often it is found out from where a restart would have to read."""
_FRAMES: Final = 200
_BYTES: Final = 4 * 1024 * 1024
_STEPS: Final = 2_000
_WAITING: Final = 10_000
_RECALLS: Final = 50
"""Runs a call of `step` may fetch from the segments, a few milliseconds each."""
_FORGET_SECONDS: Final = 30.0
_CARRY_SECONDS: Final = 30.0
_DAY_NS: Final = 86_400 * NS


class _Read(NamedTuple):
    """Steps of one frame, all or some."""

    position: Position
    received: float
    steps: list[Step]


class Scorer:
    """One thread. `step` does a bounded piece of work and returns whether there was any."""

    def __init__(  # noqa: PLR0913 -- where it reads, what it asks, where it writes, and whose clock
        self,
        folder: Path,
        store: Store,
        checks: Sequence[Check],
        *,
        tokens: Tokens | None = None,
        tell: Callable[[Sequence[tuple[int, Anomaly, Run]]], None] = lambda found: None,  # noqa: ARG005 -- nobody to tell
        runs: Runs | None = None,
        agents_held: int = AGENTS_HELD,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`tell` gets each anomaly once, with the id of its row, after it is in the database; it must not block long.

        Opens the segments at the committed position. Blocks; raises SQLAlchemyError.
        """
        self._store = store
        self._tokens = tokens
        self._tell = tell
        self._runs = runs if runs is not None else Runs()
        self._clock = clock
        self._counted, self._resume = store.progress()
        self._tail = Tail(folder, self._resume)
        self._spans = SpanStore(folder, tokens=tokens)
        self._published = Published(folder)
        self._asking = Asking(checks, store, agents_held)
        self._changed: dict[bytes, Run] = {}
        self._verdicts: list[tuple[Run, Step]] = []
        self._time = 0.0
        self._committed = 0.0
        self._failing = False
        self._recalls = _RECALLS
        self._to_forget: SimpleQueue[tuple[str, threading.Event]] = SimpleQueue()
        self._erased = store.erased()
        self._resume_found = -RESUME_SECONDS
        self._carry_on()
        self._read_counts: Counter[frames.Counted] = Counter()
        self._own: Counter[str] = Counter()

    @property
    def resume(self) -> Position:
        """From where a restart would read, as committed: segments before it may be sealed. From any thread."""
        return self._resume

    def counts(self) -> Counts:
        """What was done since the start, and what is held. From the scorer's thread."""
        counted = (self._read_counts, self._runs.counts, self._own)
        return Counts(
            **{str(name): number for counts in counted for name, number in counts.items()},
            check_faults=self._asking.faults,
            skipped_segments=self._tail.skipped,
            runs_open=len(self._runs),
            held_bytes=self._runs.held_bytes,
            agents_held=len(self._asking),
            position=self._tail.position,
            resume=self._resume,
        )

    def step(self) -> bool:
        """Read some frames, look at what is due, commit if it is time; whether there were frames.

        Raises SQLAlchemyError, OSError: call it again after a moment. Nothing is read on top of a commit that failed.
        """
        now = self._clock()
        if self._failing:
            self.commit(now)
        self._forget_asked()
        self._recalls = _RECALLS
        read = self._read(now)
        if not read and self._tail.position >= self._counted:
            self._advance(now - IN_FLIGHT_SECONDS)
        self._published.put(self._tail.position)
        due = FOUND_SECONDS if self._asking.found else COMMIT_SECONDS
        if now - self._committed >= due or len(self._changed) + len(self._verdicts) > _WAITING:
            self.commit(now)
        return read

    def commit(self, now: float) -> None:
        """Everything that was read so far, for good; then tell of what is new. Raises SQLAlchemyError."""
        counted = max(self._counted, self._tail.position)
        # Where frames are still being read again, the oldest open run may not have been met yet.
        resume = self._resume
        if now - self._resume_found >= RESUME_SECONDS:
            self._resume_found = now
            resume = max(resume, min(self._runs.resume(counted), self._tail.position))
        found, agents = self._asking.found, self._asking.changed()
        if (counted, resume) == (self._counted, self._resume) and not (
            self._changed or self._verdicts or found or agents
        ):
            self._committed = now
            return
        batch = Batch(
            counted=counted,
            resume=resume,
            runs=list(self._changed.values()),
            verdicts=self._verdicts,
            anomalies=[anomaly for anomaly, _ in found],
            agents=agents,
            now=now,
        )
        try:
            rows = {id(anomaly): row for row, anomaly in self._store.commit(batch)}
        except Exception:
            self._failing = True
            self._own["commit_faults"] += 1
            raise
        self._failing = False
        self._committed = now
        self._counted, self._resume = counted, resume
        self._changed, self._verdicts = {}, []
        self._asking.committed()
        self._own["commits"] += 1
        self._own["anomalies"] += len(found)
        self._own["alerts"] += len(rows)
        told = [(rows[id(anomaly)], anomaly, run) for anomaly, run in found if id(anomaly) in rows]
        if told:
            self._tell_of(told)

    def forget(self, agent_id: str) -> None:
        """Let go of everything that is held of an agent, whose rows were deleted; what comes from now on is new.

        For other threads than the scorer's: blocks until that one has done it. Raises TimeoutError.
        """
        done = threading.Event()
        self._to_forget.put((bounded(agent_id, NAME), done))
        if not done.wait(_FORGET_SECONDS):
            raise TimeoutError(f"the scorer did not let go of {agent_id!r} in {_FORGET_SECONDS} seconds")

    def close(self) -> None:
        """Commit what was read, and let the files go; runs that are open are read again next time."""
        try:
            self._resume_found = -RESUME_SECONDS
            self.commit(self._clock())
        finally:
            self._tail.close()
            self._published.close()

    def _carry_on(self) -> None:
        """Fetch the runs that were open when the scorer stopped and began before what is read again."""
        ends = time.monotonic() + _CARRY_SECONDS
        for trace_id, before in self._store.open_before(self._resume).items():
            if time.monotonic() < ends:
                self._fetch(trace_id, before, self._resume, before.first)
            else:  # fetched when something comes for it
                self._runs.counts["unrecalled"] += 1

    def _fetch(self, trace_id: bytes, before: Known, until: Position, at: Position) -> None:
        """Take a run back from the segments, up to a position; `at`: from where a restart has to read for it."""
        run = Run(
            trace_id=trace_id,
            first=before.first,
            last_segment=before.last_segment,
            closed=before.closed,
            closings=before.closings,
        )
        found: Iterable[Found] = ()
        if self._recalls > 0:
            found = self._spans.found(trace_id, since=before.first, before=until, last=before.last_segment)
        run.partial = not self._runs.recall(run, found, at)
        self._runs.counts["unrecalled" if run.partial else "recalled"] += 1

    def _forget_asked(self) -> None:
        while not self._to_forget.empty():
            agent, done = self._to_forget.get_nowait()

            def is_meant(run: Run, agent: str = agent) -> bool:
                return bounded(whose(run), NAME) == agent

            self._runs.forget(is_meant)
            self._asking.forget(agent)
            self._changed = {trace_id: run for trace_id, run in self._changed.items() if not is_meant(run)}
            self._verdicts = [(run, step) for run, step in self._verdicts if not is_meant(run)]
            done.set()

    def _tell_of(self, told: Sequence[tuple[int, Anomaly, Run]]) -> None:
        try:
            self._tell(told)
        except Exception:
            # They stay `pending` in the database, and are told of at the next start.
            self._own["tell_faults"] += 1
            _log.exception("agentcop: %d alerts could not be handed over; they are told at the next start", len(told))

    def _read(self, now: float) -> bool:
        chunk: list[_Read] = []
        steps = size = 0
        read = False
        for position, frame in self._tail.frames(_FRAMES):
            read = True
            again = position < self._counted
            self._own["frames"] += not again
            received = min(frame.received / NS, now + AHEAD_SECONDS)  # a clock that was wrong once must pass, too
            for part in self._parts(frame, again=again):
                chunk.append(_Read(position, received, part))
                steps += len(part)
                if steps >= _STEPS:
                    self._take(chunk)
                    chunk, steps = [], 0
            size += len(frame.body)
            if size >= _BYTES:
                break
        self._take(chunk)
        return read

    def _parts(self, frame: Frame, *, again: bool) -> Iterator[list[Step]]:
        counts = self._read_counts if not again else Counter()
        steps = frames.steps_of(frame, self._tokens, counts)
        while part := list(islice(steps, _STEPS)):
            yield part

    def _take(self, chunk: Sequence[_Read]) -> None:
        if not chunk:
            return
        known = self._known(chunk)
        self._asking.fetch({step.agent_id or step.service for read in chunk for step in read.steps} - {""})
        for position, received, steps in chunk:
            again = position < self._counted
            if not again:
                self._advance(received)
            new: dict[bytes, tuple[Run, list[Step]]] = {}
            for step in steps:
                run = self._put(step, received, position, known, again=again)
                if run is not None:
                    new.setdefault(step.trace_id, (run, []))[1].append(step)
            if not again:
                for run, fresh in new.values():
                    self._judge(run, fresh, received)
        for run in self._runs.make_room():
            self._look_at(run)

    def _known(self, chunk: Sequence[_Read]) -> dict[bytes, Known | None]:
        """Of the traces that are not in memory, those that the database has; the others are None."""
        asked = {
            step.trace_id
            for read in chunk
            for step in read.steps
            if not self._runs.has(step.trace_id) and step.trace_id not in self._changed
        }
        known: dict[bytes, Known | None] = dict.fromkeys(asked)
        if asked:
            known.update(self._store.known(list(asked)))
        return known

    def _put(
        self, step: Step, received: float, position: Position, known: dict[bytes, Known | None], *, again: bool
    ) -> Run | None:
        """Put a step into its run; None for one that was there already."""
        if not self._runs.has(step.trace_id) and not self._begin(step.trace_id, position, known, again=again):
            return None
        run = self._runs.add(step, received=received, position=position)
        if run is not None and run.full:
            if not again and not run.partial:
                self._look_at(run)
            self._runs.shed(run)
        return run

    def _begin(self, trace_id: bytes, position: Position, known: dict[bytes, Known | None], *, again: bool) -> bool:
        """Make ready the run of a trace that is not in memory; False for one that was over when the scorer stopped."""
        changed = self._changed.get(trace_id)
        if changed is not None:
            self._runs.adopt(changed, position)
            return True
        if trace_id not in known:  # it was let go of a moment ago
            known[trace_id] = self._store.known([trace_id]).get(trace_id)
        before = known[trace_id]
        if again and trace_id in self._erased and (before is None or position < before.first):
            return False
        if before is None:
            self._runs.begin(Run(trace_id=trace_id, first=position), position)
        elif again and before.closed:
            return False
        elif before.first >= position:
            self._runs.begin(Run(trace_id=trace_id, first=position, closings=before.closings), position)
        else:
            self._recall(trace_id, before, position)
        return True

    def _recall(self, trace_id: bytes, before: Known, position: Position) -> None:
        """Something came late for a run that is no longer in memory: its spans are in the segments."""
        self._fetch(trace_id, before, position, position)
        self._recalls -= 1

    def _judge(self, run: Run, fresh: list[Step], received: float) -> None:
        if not run.partial:
            self._changed[run.trace_id] = run
        for step in fresh:
            if step.verdict and step.verdict != "allow":
                self._verdicts.append((run, step))
            if abs(step.start - received * NS) > _DAY_NS:
                self._own["skewed"] += 1
        self._asking.on_steps(run, fresh)

    def _advance(self, until: float) -> None:
        """Let time pass, which is the log's: what is due before a frame is done before it, however late we are."""
        if until <= self._time:
            return
        self._time = until
        for run in self._runs.events(until):
            self._look_at(run)

    def _look_at(self, run: Run) -> None:
        self._changed[run.trace_id] = run
        self._asking.on_look(run)
