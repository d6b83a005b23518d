"""Refusal storm, new tool, volume: when they speak, and when they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from agent_spans import SECOND, START, a_run, a_step
from agentcop_detectors.checks.new_tool import NewTool
from agentcop_detectors.checks.refusal_storm import RefusalStorm
from agentcop_detectors.checks.volume import Ceilings, Volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcop_detectors.checks._interface import Anomaly
    from agentcop_detectors.step import Step


def blocks(count: int, **said: Any) -> list[Step]:
    return [a_step(number, **{"verdict": "block", "rule": "gate.default"} | said) for number in range(1, count + 1)]


def storm(steps: Sequence[Step], new: Sequence[Step] | None = None) -> list[Anomaly]:
    return list(RefusalStorm().on_steps(a_run(*steps), new if new is not None else steps, {}))


def test_five_blocks_in_a_run_are_a_storm() -> None:
    (anomaly,) = storm(blocks(5))
    assert (anomaly.severity, anomaly.reason) == ("high", "5 or more calls of one run were blocked")


def test_four_blocks_are_none() -> None:
    assert storm(blocks(4)) == []
    assert storm([*blocks(4), *(a_step(number, verdict="allow") for number in range(10, 30))]) == []


def test_a_storm_goes_on_under_the_same_key() -> None:
    assert {each.key for count in (5, 6, 7) for each in storm(blocks(count))} == {storm(blocks(5))[0].key}


def test_steps_that_are_no_blocks_do_not_tell_of_the_storm_again() -> None:
    assert storm([*blocks(5), a_step(9)], [a_step(9)]) == []


def test_a_storm_is_seen_though_the_run_shed_its_steps() -> None:
    run = a_run(blocked=9)
    assert len(list(RefusalStorm().on_steps(run, blocks(1), {}))) == 1


def tools(state: dict[str, Any], *names: str) -> list[Anomaly]:
    steps = [a_step(number, name=name) for number, name in enumerate(names, 1)]
    return list(NewTool().on_steps(a_run(*steps), steps, state))


def finish(state: dict[str, Any], runs: int) -> None:
    for _ in range(runs):
        list(NewTool().on_look(a_run(a_step(1), closed="root", closings=1), state))


def test_a_tool_that_a_known_agent_never_called_is_an_alert_once() -> None:
    state: dict[str, Any] = {}
    tools(state, "search", "read")
    finish(state, 10)

    (anomaly,) = tools(state, "search", "wire_money", "wire_money")
    assert (anomaly.severity, anomaly.tool) == ("medium", "wire_money")
    assert tools(state, "wire_money") == []


def test_until_an_agent_is_known_no_tool_is_news() -> None:
    state: dict[str, Any] = {}
    finish(state, 9)
    assert tools(state, "search", "wire_money") == []


def test_a_run_that_is_open_or_closed_again_is_not_counted() -> None:
    state: dict[str, Any] = {}
    for _ in range(20):
        list(NewTool().on_look(a_run(a_step(1)), state))
        list(NewTool().on_look(a_run(a_step(1), closed="root", closings=2), state))
    assert tools(state, "wire_money") == []


def test_what_is_no_tool_is_no_new_tool() -> None:
    state: dict[str, Any] = {}
    finish(state, 10)
    step = a_step(1, kind="model", name="new-model")
    assert list(NewTool().on_steps(a_run(step), [step], state)) == []


def test_a_million_tool_names_leave_a_small_state() -> None:
    state: dict[str, Any] = {}
    finish(state, 10)
    found = tools(state, *(f"{'x' * 5_000}{number}" for number in range(3_000)))
    assert len(found) == 1_000
    assert len(orjson.dumps(state)) < 100_000


CEILINGS = Ceilings(calls=3, tokens=100, seconds=60)


def volume(*steps: Step, **said: Any) -> list[str]:
    return [each.reason for each in Volume(CEILINGS).on_steps(a_run(*steps, **said), steps, {})]


@pytest.mark.parametrize(("count", "found"), [(3, []), (4, ["one run took more than 3 tool calls"])])
def test_a_ceiling_of_calls(count: int, found: list[str]) -> None:
    assert volume(*(a_step(number) for number in range(1, count + 1))) == found


@pytest.mark.parametrize(("tokens", "found"), [(50, []), (51, ["one run took more than 100 tokens"])])
def test_a_ceiling_of_tokens(tokens: int, found: list[str]) -> None:
    assert volume(a_step(1, kind="model", input_tokens=50, output_tokens=tokens)) == found


@pytest.mark.parametrize(("seconds", "found"), [(60, []), (61, ["one run took more than 60 seconds"])])
def test_a_ceiling_of_time(seconds: int, found: list[str]) -> None:
    assert volume(a_step(1, kind="agent", start=START, end=START + seconds * SECOND)) == found


@pytest.mark.parametrize("step", [a_step(1, start=1, end=START), a_step(1, start=START, end=2**63)])
def test_a_clock_that_is_wrong_by_years_is_no_long_run(step: Step) -> None:
    assert volume(step, seen=START / SECOND + 10) == []
