"""Broken chain: the head of gate.log that travels on an agent's spans went backwards, or forked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentcop_detectors.checks._interface import Anomaly, by_our_clock, whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_core.alert import Severity
    from agentcop_detectors.checks._interface import State
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step

_WRITERS: Final = 32
_SEEN: Final = 64
"""Sequence numbers of one writer that are remembered, to know a fork from a span that is merely late."""
_HASH: Final = 16
"""Digits of a hash that are kept: enough to tell two apart, and the state stays small."""
_SLACK: Final = 1_000_000_000
"""Nanoseconds between the end of one call and the start of another before their order is believed."""
_LONGEST: Final = 64
_DIGITS: Final = 15


class _Head(NamedTuple):
    writer: str
    number: int
    digest: str


class BrokenChain:
    """One number with two hashes, or a later call with an earlier number. Spans that come late break nothing.

    A writer numbers its lines, and the head on a span is the last line when its call was decided. So of two calls that
    do not overlap the later one has the higher number, whatever order their spans arrive in. That a chain was
    rewritten from before its first span is found by `agentcop gate verify --heads`, which reads the log.
    """

    name = "broken_chain"
    severity: Severity = "critical"

    def on_steps(self, run: Run, new: Sequence[Step], state: State) -> Iterable[Anomaly]:
        """Compares each head with what the same writer sent before."""
        writers = state.setdefault("writers", {})
        for step in new:
            head = _head(step.log_head)
            if head is None:
                continue
            known = writers.pop(head.writer, None) or {"seen": {}}
            writers[head.writer] = known  # the last used stands last
            if len(writers) > _WRITERS:
                writers.pop(next(iter(writers)))
            if self._forked(known, head):
                reason = f"line {head.number} of gate.log's writer {head.writer} was seen with two different hashes"
                yield self._anomaly(run, step, head, "fork", reason)
            elif _backwards(known, head, by_our_clock(run, step.start), by_our_clock(run, step.end)):
                reason = f"gate.log's writer {head.writer} went back to line {head.number} after later ones"
                yield self._anomaly(run, step, head, "back", reason)

    def on_look(self, run: Run, state: State) -> Iterable[Anomaly]:
        """Nothing more."""
        del run, state
        return ()

    def _forked(self, known: dict[str, Any], head: _Head) -> bool:
        seen: dict[str, str] = known["seen"]
        before = seen.setdefault(str(head.number), head.digest)
        if len(seen) > _SEEN:
            del seen[next(iter(seen))]  # that which was seen first
        return before != head.digest

    def _anomaly(self, run: Run, step: Step, head: _Head, how: str, reason: str) -> Anomaly:
        agent = whose(run, step)
        return Anomaly(
            check=self.name,
            severity=self.severity,
            agent_id=agent,
            tool=step.name,
            reason=reason,
            evidence=("gate.log was rewritten or cut, or two processes write in one writer's name",),
            trace_id=run.trace_id,
            span_id=step.span_id,
            key=f"{self.name}:{how}:{agent}:{head.writer}:{head.number}",
        )


def _backwards(known: dict[str, Any], head: _Head, start: int, end: int) -> bool:
    """Whether the number is lower than that of a call which ended before this one began, or the other way round."""
    top: list[int] | None = known.get("top")  # highest number, and the end of its call
    last: list[int] | None = known.get("last")  # latest start of a call, and its number
    back = (top is not None and head.number < top[0] and start > top[1] + _SLACK) or (
        last is not None and head.number > last[1] and end + _SLACK < last[0]
    )
    if top is None or head.number > top[0]:
        known["top"] = [head.number, end]
    if last is None or start > last[0]:
        known["last"] = [start, head.number]
    return back


def _head(text: str) -> _Head | None:
    """Of `writer:seq:hash`; None where it is none."""
    writer, _, rest = text.partition(":")
    number, _, digest = rest.partition(":")
    sound = writer and len(writer) <= _LONGEST and number.isascii() and number.isdecimal() and digest
    return _Head(writer, int(number), digest[:_HASH]) if sound and len(number) <= _DIGITS else None
