"""Runs: each span once, whatever the order; over when it is over; never more of them than fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_spans import SECOND, START, a_step, ident
from agentcop_detectors.assemble.runs import Limits, Runs
from agentcop_detectors.run import Run
from agentcop_detectors.segments.tail import Position

if TYPE_CHECKING:
    from agentcop_detectors.step import Step

NOW = 1_000.0
LIMITS = Limits(quiet=1, busy=10, settle=2, idle=100, longest=1_000, remembered=50, steps=20)


class Assembled:
    """Runs, fed one step a frame."""

    def __init__(self, **limits: Any) -> None:
        self.runs = Runs(Limits(**{name: getattr(LIMITS, name) for name in Limits.__slots__} | limits))
        self.frame = 0

    def put(self, step: Step, now: float) -> Run | None:
        self.frame += 1
        position = Position(1, self.frame)
        if not self.runs.has(step.trace_id):
            self.runs.begin(Run(trace_id=step.trace_id, first=position), position)
        run = self.runs.add(step, received=now, position=position)
        if run is not None and run.full:
            self.runs.shed(run)
        return run

    def events(self, until: float) -> list[tuple[bytes, str]]:
        return [(run.trace_id, run.closed) for run in self.runs.events(until)]


def under(step: int, **said: Any) -> Step:
    return a_step(step, **{"parent_id": ident(99)} | said)


ROOT = a_step(99, kind="agent", start=START, end=START + 90 * SECOND, agent_id="outer")


@given(st.permutations(range(1, 8)), st.lists(st.integers(1, 7)))
def test_a_run_holds_each_span_once_whatever_the_order(order: list[int], again: list[int]) -> None:
    made = Assembled()
    for number in (*order, *again):
        made.put(ROOT if number == 7 else under(number, agent_id="inner"), NOW)

    (run,) = (run for run in made.runs.events(NOW + 2) if run.closed)
    assert [step.span_id for step in run.steps] == [ident(99), *(ident(number) for number in range(1, 7))]
    assert (run.total, run.tool_calls, run.duplicates) == (7, 6, len(again))
    assert run.agent_id == "outer"
    assert (run.started, run.ended) == (ROOT.start, ROOT.end)


def test_a_run_is_over_a_moment_after_its_root_ended() -> None:
    made = Assembled()
    made.put(under(1), NOW)
    made.put(ROOT, NOW)

    assert made.events(NOW + 1.99) == []
    assert made.events(NOW + 2) == [(ROOT.trace_id, "root")]
    assert made.events(NOW + 500) == []
    assert len(made.runs) == 0


def test_a_run_without_a_root_is_over_when_nothing_comes() -> None:
    made = Assembled()
    made.put(under(1), NOW)
    assert made.events(NOW + 99) == [(ROOT.trace_id, "")]
    made.put(under(2), NOW + 99)

    assert made.events(NOW + 198) == [(ROOT.trace_id, "")]
    assert made.events(NOW + 199) == [(ROOT.trace_id, "idle")]


def test_a_busy_run_is_looked_at_now_and_then_and_a_quiet_one_once() -> None:
    made = Assembled()
    found = []
    for number in range(50):
        made.put(under(number + 1), NOW + number / 2)
        found += made.events(NOW + number / 2)
    found += made.events(NOW + 90)

    assert found == [(ROOT.trace_id, "")] * 3


def test_a_trace_that_never_ends_is_closed_after_hours_and_goes_on() -> None:
    made = Assembled()
    closed = []
    for number in range(2_500):
        run = made.put(under(number + 1), NOW + number)
        closed += [why for _, why in made.events(NOW + number) if why]
    assert closed == ["long", "long"]
    assert run is not None
    assert run.total == 2_500
    assert len(run.steps) <= 20
    assert run.dropped == made.runs.counts["shed"] == 2_500 - len(run.steps)
    assert made.runs.held_bytes < 1_000_000


def test_what_comes_late_opens_a_closed_run_again_and_a_duplicate_does_not() -> None:
    made = Assembled()
    made.put(ROOT, NOW)
    made.events(NOW + 2)

    assert made.put(ROOT, NOW + 10) is None
    assert len(made.runs) == 0
    late = made.put(under(1), NOW + 11)
    assert late is not None
    assert (late.closed, late.total, late.closings) == ("", 2, 1)
    assert made.events(NOW + 13) == [(ROOT.trace_id, "root")]
    assert late.closings == 2
    assert made.runs.has(ROOT.trace_id)
    made.events(NOW + 100)
    assert not made.runs.has(ROOT.trace_id)
    assert made.runs.held_bytes == 0


@given(st.lists(st.floats(0, 300), max_size=30), st.data())
def test_the_same_steps_give_the_same_events_however_often_one_asks(times: list[float], data: st.DataObject) -> None:
    steps = [
        (NOW + at, a_step(number, trace_id=ident(number % 3 + 1, 16), parent_id=b"" if number % 7 == 0 else ident(99)))
        for number, at in enumerate(sorted(times), 1)
    ]
    outcomes = []
    for often in (False, True):
        made, found = Assembled(), []
        for moment, step in steps:
            if often and data.draw(st.booleans()):
                found += made.events(moment - data.draw(st.floats(0, 20)))
            found += made.events(moment)
            made.put(step, moment)
        outcomes.append(found + made.events(NOW + 10_000))
    assert outcomes[0] == outcomes[1]


def test_when_memory_is_full_closed_runs_go_first_and_then_the_oldest() -> None:
    made = Assembled(bytes=100_000)
    for number in range(1, 15):
        made.put(a_step(number, trace_id=ident(number, 16)), NOW)
    assert len(made.events(NOW + 2)) == 14
    for number in range(15, 100):
        made.put(a_step(number, trace_id=ident(number, 16), parent_id=ident(1)), NOW + 3)
    closed = list(made.runs.make_room())

    assert [run.closed for run in closed] == ["room"] * len(closed)
    assert [run.trace_id for run in closed] == [ident(number, 16) for number in range(15, 15 + len(closed))]
    assert made.runs.held_bytes <= 100_000
    assert made.runs.counts["closed_for_room"] == len(closed) > 0


def test_a_run_over_its_size_holds_further_steps_without_their_content() -> None:
    made = Assembled(run_bytes=50_000, steps=1_000)
    for number in range(1, 200):
        made.put(under(number, arguments="x" * 10_000, result="y" * 10_000), NOW)

    (run,) = made.runs.events(NOW + 1)
    assert run.total == 199
    assert run.steps[0].arguments
    assert not run.steps[-1].arguments
    assert made.runs.counts["trimmed"] > 190
    assert made.runs.held_bytes < 300_000


def test_what_is_shed_is_counted_and_still_covers_what_is_below_it() -> None:
    made = Assembled(steps=4)
    made.put(under(1, verdict="allow"), NOW)
    made.put(under(2, name="bare"), NOW)
    for number in range(3, 7):
        run = made.put(under(number, verdict="block"), NOW)

    assert run is not None
    assert (run.total, run.tool_calls, run.blocked, run.shed_unenforced) == (6, 6, 4, 1)
    assert ident(1) in run.shed_judged


def test_a_restart_begins_at_the_oldest_open_run_but_for_a_few_that_are_far_behind() -> None:
    runs = Runs(LIMITS)
    assert runs.resume(Position(9, 5)) == Position(9, 5)

    for number in range(1, 301):
        at = Position(1, number)
        runs.begin(Run(trace_id=ident(number, 16), first=at), at)
    assert runs.resume(Position(1, 900)) == Position(1, 1)
    assert runs.resume(Position(2, 900)) == Position(1, 1)
    assert runs.resume(Position(3, 900)) == Position(1, 201)


@pytest.mark.parametrize("start", [0, 1, 2**63, 2**64 - 1])
def test_a_clock_that_is_wrong_by_years_changes_no_events(start: int) -> None:
    made = Assembled()
    made.put(under(1, start=start, end=0), NOW)
    made.put(a_step(99, start=START, end=2**64 - 1), NOW)
    assert made.events(NOW + 2) == [(ROOT.trace_id, "root")]
