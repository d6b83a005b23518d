"""A run with what is needed to keep it: which spans it has, how large it is, when it is due."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, Final

import msgspec

from agentcop_detectors.checks.coverage import coverage

if TYPE_CHECKING:
    from agentcop_detectors.assemble.runs import Limits
    from agentcop_detectors.run import Closed, Run
    from agentcop_detectors.segments.tail import Position
    from agentcop_detectors.step import Step

_RUN_BYTES: Final = 2_000
"""Of a run without steps, in memory, about: measured with tracemalloc."""
_STEP_BYTES: Final = 1_000
_ID_BYTES: Final = 100
_IDS: Final = 50_000
"""Span ids by which a step that comes twice is known; of a longer run the oldest are forgotten."""
_JUDGED: Final = 5_000
_NEVER: Final = float("inf")


class Held:
    """Owned by Runs."""

    __slots__ = ("bytes", "first_frame", "ids", "looked", "opened", "root_ended", "run", "scheduled", "unlooked")

    def __init__(self, run: Run, first_frame: Position) -> None:
        """`first_frame`: the frame from which a restart has to read to have it again."""
        self.run = run
        self.first_frame = first_frame
        self.ids: dict[bytes, None] = {}
        self.bytes = _RUN_BYTES
        self.opened = 0.0
        """When its first step since it was opened was received."""
        self.looked = 0.0
        self.unlooked = False
        """Whether steps came since it was looked at."""
        self.root_ended = False
        self.scheduled = _NEVER
        """The time under which it stands on the agenda."""

    @classmethod
    def of(cls, run: Run, first_frame: Position) -> Held:
        """A run that is there already."""
        held = cls(run, first_frame)
        held.ids = dict.fromkeys(step.span_id for step in run.steps)
        held.bytes += sum(map(_size, run.steps))
        held.root_ended = any(not step.parent_id for step in run.steps)
        return held

    def due(self, limits: Limits) -> float:
        """When something has to be done about it."""
        due = self._over_at(limits)
        if self.unlooked:
            due = min(due, self.looked + limits.busy)
            if not self.root_ended:  # else it is closed in a moment, and looked at then
                due = min(due, self.run.seen + limits.quiet)
        return due

    def over(self, now: float, limits: Limits) -> Closed:
        """Why it is over by then; "" if it is not."""
        if now < self._over_at(limits):
            return ""
        if now >= self.opened + limits.longest:
            return "long"
        return "root" if self.root_ended else "idle"

    def _over_at(self, limits: Limits) -> float:
        quiet = limits.settle if self.root_ended else limits.idle
        return min(self.run.seen + quiet, self.opened + limits.longest)

    def reopen(self, position: Position) -> None:
        """Something came late."""
        self.run.closed = ""
        self.first_frame = position
        self.opened = 0.0
        self.scheduled = _NEVER

    def put(self, step: Step, received: float, limits: Limits) -> tuple[bool, bool]:
        """Whether the step is new, and whether it was put in without its content, for want of room."""
        run = self.run
        if step.span_id in self.ids:  # no news: it does not keep a run open
            return False, False
        if not self.opened:
            self.opened = self.looked = received
        run.seen = max(run.seen, received)
        trimmed = False
        if self.bytes > limits.run_bytes and (step.arguments or step.result or step.words):
            step = msgspec.structs.replace(step, arguments="", result="", words="")
            trimmed = True
        self.ids[step.span_id] = None
        if len(self.ids) > _IDS:
            del self.ids[next(iter(self.ids))]
            self.bytes -= _ID_BYTES
        self.bytes += _size(step)
        self.unlooked = True
        _place(run, step)
        _count(run, step)
        if not step.parent_id:
            self.root_ended = True
        run.full = len(run.steps) > limits.steps
        return True, trimmed

    def shed(self) -> int:
        """Let go of the earlier half; how many steps."""
        run = self.run
        half = len(run.steps) // 2
        gone = run.steps[:half]
        rest = run.steps[half:]
        bad = sum(bad for _, bad in coverage(run).values())
        run.steps = rest
        run.shed_judged.update(step.span_id for step in gone if step.verdict)
        while len(run.shed_judged) > _JUDGED:
            run.shed_judged.pop()
        run.shed_unenforced += bad - sum(bad for _, bad in coverage(run).values())
        run.dropped += half
        run.full = False
        self.bytes -= sum(_size(step) - _ID_BYTES for step in gone)
        return half


def _place(run: Run, step: Step) -> None:
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


def _count(run: Run, step: Step) -> None:
    if step.kind == "tool":
        run.tool_calls += 1
        if step.verdict == "block":
            run.blocked += 1
        elif step.verdict == "require_approval":
            run.held += 1
    elif step.kind == "model":
        run.tokens += step.input_tokens + step.output_tokens


def _size(step: Step) -> int:
    texts = len(step.arguments) + len(step.result) + len(step.words) + len(step.reason) + len(step.message)
    return _STEP_BYTES + _ID_BYTES + texts + len(step.name) + len(step.rule) + len(step.agent_id) + len(step.log_head)
