"""Broken chain: a gate.log that was rewritten or cut is seen on the spans; spans that come late are no break."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from agent_spans import SECOND, START, a_run, a_step, ident
from agentcop_detectors.checks.broken_chain import BrokenChain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcop_detectors.checks._interface import Anomaly
    from agentcop_detectors.step import Step


def call(number: int, at: float, *, digest: str = "", writer: str = "w", lasts: float = 1) -> Step:
    start = START + int(at * SECOND)
    head = f"{writer}:{number}:{digest or f'{number:064x}'[::-1]}"
    return a_step(number, span_id=ident(int(at * 100)), start=start, end=start + int(lasts * SECOND), log_head=head)


def found(steps: Sequence[Step], state: dict[str, Any] | None = None) -> list[Anomaly]:
    state = state if state is not None else {}
    run = a_run(*steps)
    return [each for step in steps for each in BrokenChain().on_steps(run, [step], state)]


def test_a_chain_that_grows_is_sound_in_whatever_order_its_spans_come() -> None:
    steps = [call(number, number * 10) for number in range(1, 60)]
    assert found(steps) == []
    shuffled = random.Random(1).sample(steps, len(steps))  # noqa: S311 -- one order of many
    assert found(shuffled) == []
    assert found([*steps, *steps]) == []


def test_one_number_with_two_hashes_is_a_fork() -> None:
    (anomaly,) = found([call(1, 10), call(2, 20), call(2, 30, digest="f" * 64)])

    assert (anomaly.severity, anomaly.tool) == ("critical", "search")
    assert anomaly.reason == "line 2 of gate.log's writer w was seen with two different hashes"


@pytest.mark.parametrize("late", [False, True])
def test_a_later_call_with_an_earlier_number_went_backwards(late: bool) -> None:
    steps = [call(80, 10), call(79, 20)]
    (anomaly,) = found(steps[::-1] if late else steps)

    assert anomaly.severity == "critical"
    assert "went back to line" in anomaly.reason


def test_calls_that_overlap_may_have_their_numbers_in_any_order() -> None:
    assert found([call(8, 10, lasts=60), call(7, 11), call(9, 10.5)]) == []


def test_writers_are_told_apart() -> None:
    assert found([call(8, 10), call(1, 20, writer="second"), call(9, 30), call(2, 40, writer="second")]) == []


@pytest.mark.parametrize(
    "head", ["", "w", "w:1", "w:x:abc", "w:\u0661:abc", f"{'w' * 65}:1:abc", f"w:{'9' * 30}:abc", ":1:a"]
)
def test_what_is_no_head_is_passed_over(head: str) -> None:
    state: dict[str, Any] = {}
    assert found([a_step(1, log_head=head), call(5, 10)], state) == []
    assert list(state["writers"]) == ["w"]


def test_a_call_from_the_future_hides_no_break_behind_it() -> None:
    future = a_step(1, start=START * 2, end=START * 2, log_head=f"w:1:{'a' * 64}")
    steps = [call(80, 10), call(79, 20)]
    run = a_run(*steps)
    state: dict[str, Any] = {}
    check = BrokenChain()

    assert [each for step in (future, *steps) for each in check.on_steps(run, [step], state)] != []


def test_what_is_remembered_of_an_agent_stays_small() -> None:
    state: dict[str, Any] = {}
    for writer in range(100):
        found([call(number, number * 10, writer=f"{'w' * 60}{writer:04d}") for number in range(200)], state)
    assert len(orjson.dumps(state)) < 100_000
