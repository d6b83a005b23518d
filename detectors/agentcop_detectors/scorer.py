"""Reads what was received, in order, and makes runs, verdicts and alerts of it. Can be killed at any moment.

See `docs/decisions/020-the-scorer-can-be-killed.md` for what the two positions mean.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Final, Literal

from google.protobuf.message import DecodeError

from agentcop_detectors.assemble.runs import Runs
from agentcop_detectors.checks._interface import whose
from agentcop_detectors.normalise import json_form, protobuf
from agentcop_detectors.normalise.steps import Unusable, step_of
from agentcop_detectors.segments.frame import Encoding
from agentcop_detectors.segments.tail import Position, Tail
from agentcop_detectors.store.writer import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from agentcop_detectors.checks._interface import Anomaly, Check, State
    from agentcop_detectors.receive.tokens import Tokens
    from agentcop_detectors.run import Run
    from agentcop_detectors.segments.frame import Frame
    from agentcop_detectors.step import Step
    from agentcop_detectors.store.writer import Store

_log = logging.getLogger("agentcop")

COMMIT_SECONDS: Final = 0.2
LOOK_SECONDS: Final = 10.0
QUIET_SECONDS: Final = 2.0
AGENTS_HELD: Final = 20_000
_FRAMES: Final = 200

Counted = Literal["frames", "steps", "poisoned", "spoiled", "unusable", "foreign", "check_faults"]
"""`poisoned`: frames that could not be read. `spoiled`: attributes. `unusable`: spans without ids.
`foreign`: steps about an agent that the sender's token does not speak for."""


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
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`tell` gets each anomaly once, with the id of its row, after it is in the database.

        Opens the segments at the committed position.
        """
        self._store = store
        self._checks = tuple(checks)
        self._tokens = tokens
        self._tell = tell
        self._runs = runs if runs is not None else Runs()
        self._clock = clock
        self._counted, resume = store.progress()
        self._tail = Tail(folder, resume)
        self._states: OrderedDict[str, dict[str, State]] = OrderedDict()
        self._dirty: set[str] = set()
        self._changed: dict[bytes, Run] = {}
        self._verdicts: list[tuple[Run, Step]] = []
        self._found: list[tuple[Anomaly, Run]] = []
        self._looked: dict[bytes, float] = {}
        self._committed = 0.0
        self.counts: Counter[Counted] = Counter()

    @property
    def open_runs(self) -> int:
        """Runs that are not over."""
        return len(self._runs)

    @property
    def position(self) -> Position:
        """How far the segments were read; everything before it is committed after `commit`."""
        return self._tail.position

    def step(self) -> bool:
        """Read up to 200 frames, look at what is due, commit if it is time. Raises SQLAlchemyError, OSError."""
        frames = list(self._tail.frames(_FRAMES))
        closed = self._closed_before(frames)
        for position, frame in frames:
            self._take(position, frame, closed)
        now = self._clock()
        self._look(now)
        if now - self._committed >= COMMIT_SECONDS or len(self._changed) > _FRAMES * 50:
            self.commit(now)
        return bool(frames)

    def commit(self, now: float) -> None:
        """Everything that was read so far, for good; then tell of what is new."""
        self._committed = now
        counted = max(self._counted, self._tail.position)
        resume = min(counted, self._runs.resume(counted))
        if counted == self._counted and not self._changed and not self._found and not self._dirty:
            return
        batch = Batch(
            counted=counted,
            resume=resume,
            runs=list(self._changed.values()),
            verdicts=self._verdicts,
            anomalies=[anomaly for anomaly, _ in self._found],
            agents={agent: self._states[agent] for agent in self._dirty},
            now=now,
        )
        rows = {id(anomaly): row for row, anomaly in self._store.commit(batch)}
        told = [(rows[id(anomaly)], anomaly, run) for anomaly, run in self._found if id(anomaly) in rows]
        self._counted = counted
        self._changed, self._verdicts, self._found = {}, [], []
        self._dirty.clear()
        while len(self._states) > AGENTS_HELD:
            self._states.popitem(last=False)
        if told:
            self._tell(told)

    def close(self) -> None:
        """Commit what was read, and let the files go; runs that are open are read again next time."""
        self.commit(self._clock())
        self._tail.close()

    def _closed_before(self, frames: Sequence[tuple[Position, Frame]]) -> set[bytes]:
        """Of what is read a second time after a restart, the traces whose runs were over already."""
        again = [frame for position, frame in frames if position < self._counted]
        if not again:
            return set()
        return self._store.closed(list({span.trace_id for frame in again for span in self._steps(frame, count=False)}))

    def _take(self, position: Position, frame: Frame, closed: set[bytes]) -> None:
        again = position < self._counted
        new: dict[bytes, tuple[Run, list[Step]]] = {}
        received = frame.received / 1e9
        for step in self._steps(frame, count=not again):
            if again and step.trace_id in closed:
                continue
            run = self._runs.add(step, received=received, position=position)
            if run is not None:
                new.setdefault(step.trace_id, (run, []))[1].append(step)
        if again:
            return
        self.counts["frames"] += 1
        for run, steps in new.values():
            self._changed[run.trace_id] = run
            self._verdicts += [(run, step) for step in steps if step.verdict not in {"", "allow"}]
            for check in self._checks:
                self._ask(check, run, lambda check, run, state, steps=steps: check.on_steps(run, steps, state))  # type: ignore[misc]

    def _steps(self, frame: Frame, *, count: bool) -> Iterator[Step]:
        decoder = protobuf if frame.encoding is Encoding.PROTOBUF else json_form
        try:
            for span in decoder.spans_of(frame.body):
                if count and span.spoiled:
                    self.counts["spoiled"] += span.spoiled
                try:
                    step = step_of(span)
                except Unusable:
                    self.counts["unusable"] += count
                    continue
                if self._tokens is not None and not self._tokens.speaks_for(
                    frame.source, step.agent_id or step.service
                ):
                    self.counts["foreign"] += count
                    continue
                self.counts["steps"] += count
                yield step
        except (DecodeError, ValueError):
            # The front let it through: it is counted, and what stands behind it is read all the same.
            self.counts["poisoned"] += count
            if count:
                _log.exception("agentcop: an acknowledged request cannot be read; it is passed over")

    def _look(self, now: float) -> None:
        for run in self._runs.due(now):
            self._look_at(run)
            self._looked.pop(run.trace_id, None)
            self._changed[run.trace_id] = run
        for run in list(self._changed.values()):
            if run.closed:
                continue
            last = self._looked.setdefault(run.trace_id, run.seen)
            if now - last >= LOOK_SECONDS or now - run.seen >= QUIET_SECONDS:
                self._looked[run.trace_id] = now
                self._look_at(run)

    def _look_at(self, run: Run) -> None:
        for check in self._checks:
            self._ask(check, run, lambda check, run, state: check.on_look(run, state))

    def _ask(self, check: Check, run: Run, question: Callable[[Check, Run, State], object]) -> None:
        agent = whose(run)
        states = self._states.get(agent)
        if states is None:
            states = self._states[agent] = self._store.state_of(agent)
        else:
            self._states.move_to_end(agent)
        self._dirty.add(agent)
        try:
            found = list(question(check, run, states.setdefault(check.name, {})))  # type: ignore[call-overload]
        except Exception:
            self.counts["check_faults"] += 1
            _log.exception("agentcop: the check %s failed at a run of %s", check.name, agent)
            return
        self._found += [(anomaly, run) for anomaly in found]
