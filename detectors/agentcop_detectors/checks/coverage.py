"""The coverage ledger: which tool calls of a run a gate has judged."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step


def coverage(run: Run) -> dict[str, tuple[int, int]]:
    """The ledger of the steps that are held: instrumentation scope to the numbers of judged and of unjudged calls."""
    judged = covered(run)
    ledger: dict[str, tuple[int, int]] = {}
    for step in run.steps:
        if step.kind == "tool":
            good, bad = ledger.get(step.scope, (0, 0))
            ledger[step.scope] = (good + 1, bad) if step.span_id in judged else (good, bad + 1)
    return ledger


def lone_transports(run: Run) -> list[Step]:
    """Calls of which nothing but their way to a server was seen: no tool step stands above or below.

    So looks a bare client of a server. n log n in the steps, as `covered`.
    """
    steps = run.steps
    on_their_way = [step for step in steps if step.kind == "transport"]
    if not on_their_way:
        return []
    by_id = {step.span_id: step for step in steps}
    tools = {step.span_id for step in steps if step.kind == "tool"}
    above: set[bytes] = set()
    for tool in tools:
        at = by_id.get(by_id[tool].parent_id)
        while at is not None and at.span_id not in above:
            above.add(at.span_id)
            at = by_id.get(at.parent_id)
    known: dict[bytes, bool] = {}
    inner = {step.parent_id for step in on_their_way}  # of two below each other, the lower one is the call
    return [
        step
        for step in on_their_way
        if step.span_id not in above and step.span_id not in inner and not _below(step, by_id, tools, known)
    ]


def covered(run: Run) -> set[bytes]:
    """Ids of the spans that count as judged: they, an ancestor, a descendant, or a sibling of the same name and time.

    n log n in the steps, whatever the shape of their tree; one that a hostile sender bent into a ring ends too.
    """
    steps = run.steps
    judged = {step.span_id for step in steps if step.verdict}
    if not judged and not run.shed_judged:
        return set()
    by_id = {step.span_id: step for step in steps}
    found = set(judged)
    for step in steps:
        if step.verdict:
            at = by_id.get(step.parent_id)
            while at is not None and at.span_id not in found:
                found.add(at.span_id)
                at = by_id.get(at.parent_id)
    # Not every ancestor of a judged span was judged itself: what is below one asks for the judged alone.
    above = judged | run.shed_judged
    known: dict[bytes, bool] = {}
    found.update(step.span_id for step in steps if _below(step, by_id, above, known))
    beside = _times_by_name(step for step in steps if step.verdict)
    for step in steps:
        if step.kind == "tool" and step.span_id not in found:
            times = beside.get((step.parent_id, step.name))
            if times is not None and _overlaps(times, step.start, step.end):
                found.add(step.span_id)
    return found


def _below(step: Step, by_id: dict[bytes, Step], judged: set[bytes], known: dict[bytes, bool]) -> bool:
    """Whether a judged span stands above `step`."""
    path: list[bytes] = []
    at: Step | None = step
    answer = False
    while at is not None:
        if at.span_id in known:
            answer = known[at.span_id]
            break
        known[at.span_id] = False
        path.append(at.span_id)
        if at.parent_id in judged:
            answer = True
            break
        at = by_id.get(at.parent_id)
    for span_id in path:
        known[span_id] = answer
    return answer


_Times = tuple[list[int], list[int]]
"""Starts in order, and to each the latest end of all that started by then."""


def _times_by_name(steps: Iterable[Step]) -> dict[tuple[bytes, str], _Times]:
    grouped: dict[tuple[bytes, str], list[Step]] = {}
    for step in steps:  # in the order of their start, as a run has them
        grouped.setdefault((step.parent_id, step.name), []).append(step)
    return {key: _times(group) for key, group in grouped.items()}


def _times(group: Sequence[Step]) -> _Times:
    return [step.start for step in group], list(accumulate((step.end for step in group), max))


def _overlaps(times: _Times, start: int, end: int) -> bool:
    starts, ends = times
    begun = bisect_right(starts, end)
    return begun > 0 and ends[begun - 1] >= start
