"""Whose policy judges: the floor, and the innermost run's, else the cops of the tool, else every run in flight."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import gatefile
from agentcop import AgentCop, GatePolicy, NotArmed, PolicyBlocked, ToolBlocked
from agentcop_processor import judges
from agentcop_processor.call import seam

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RAN: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


@pytest.fixture
def armed() -> Iterator[Callable[[AgentCop], None]]:
    """Makes a cop the process's floor, until the test is over."""
    yield lambda cop: judges.set_floor(cop._gate)  # noqa: SLF001 -- what arming does
    judges.set_floor(None)


def read(path: str = "") -> str:
    RAN.append(f"read {path}")
    return "read"


def wipe(path: str = "") -> str:
    RAN.append(f"wipe {path}")
    return "wiped"


def cop(name: str, **gate: Any) -> AgentCop:
    return AgentCop(agent_id=name, policy=GatePolicy(**gate))


class Agent:
    """Calls its tools as it is told, and gives back what each said: its result, or the rule that refused it."""

    def __init__(self, **tools: Callable[..., Any]) -> None:
        self.tools = tools

    def run(self, *names: str) -> list[object]:
        return [rule_of(self.tools[name]) for name in names]


def rule_of(call: Callable[[], object]) -> object:
    try:
        return call()
    except PolicyBlocked as refused:
        return refused.rule


def quiet(name: str, **gate: Any) -> AgentCop:
    """A cop whose refusals do not make the agent's entry raise."""
    return cop(name, on_block="return_message", **gate)


def test_two_cops_judge_each_their_own_agent() -> None:
    one, two = Agent(wipe=wipe), Agent(wipe=wipe)
    quiet("one", allow=["wipe"]).wrap(one)
    quiet("two", allow=["read"]).wrap(two)
    assert one.run("wipe") == ["wiped"]
    assert two.run("wipe") == ["gate.default"]
    assert RAN == ["wipe "]


def test_a_tool_that_two_agents_share_is_judged_by_the_one_that_runs() -> None:
    shared = {"wipe": wipe}
    one, two = Agent(), Agent()
    one.tools = two.tools = shared
    quiet("one", allow=["wipe"]).wrap(one)
    quiet("two", allow=["read"]).wrap(two)
    assert one.run("wipe") == ["wiped"]
    assert two.run("wipe") == ["gate.default"]


def test_a_shared_tool_called_outside_any_run_is_judged_by_all_its_cops_and_the_strictest_holds() -> None:
    shared = quiet("one", allow=["wipe"]).tool(wipe)
    shared = quiet("two", block=["wipe"], default="allow").tool(shared)
    assert rule_of(shared) == "gate.block[0]"
    assert RAN == []


def test_inside_a_run_the_runs_cop_judges_a_tool_that_another_cop_guards_more_strictly() -> None:
    guarded = quiet("strict", allow=["read"]).tool(wipe)
    agent = Agent(wipe=guarded)
    quiet("runs", allow=["wipe"]).wrap(agent)
    assert agent.run("wipe") == ["wiped"]
    assert rule_of(guarded) == "gate.default", "outside the run both judge"


def test_the_armed_floor_judges_inside_every_run_too(armed: Callable[[AgentCop], None]) -> None:
    armed(cop("floor", block=["wipe"], default="allow"))
    agent = Agent(wipe=wipe, read=read)
    quiet("wrapped", allow=["wipe", "read"]).wrap(agent)
    with pytest.raises(ToolBlocked):  # the floor's refusal is loud
        agent.run("read", "wipe")
    assert RAN == ["read "]


def test_what_the_floor_allows_the_agents_own_cop_may_still_refuse(armed: Callable[[AgentCop], None]) -> None:
    armed(cop("floor", default="allow"))
    agent = Agent(wipe=wipe)
    quiet("wrapped", allow=["read"]).wrap(agent)
    assert agent.run("wipe") == ["gate.default"]


def test_the_floor_that_also_wrapped_the_agent_judges_once(
    armed: Callable[[AgentCop], None], agentcop_home: Path
) -> None:
    both = quiet("both", allow=["wipe"])
    armed(both)
    agent = Agent(wipe=wipe)
    both.wrap(agent)
    assert agent.run("wipe") == ["wiped"]
    assert len(gatefile.lines(agentcop_home, "decision")) == 1


def test_a_supervisor_calls_an_agent_as_its_tool_and_each_judges_its_own_calls(agentcop_home: Path) -> None:
    inner = Agent(wipe=wipe)
    quiet("inner", allow=["wipe"]).wrap(inner)

    def helper() -> list[object]:
        return inner.run("wipe")

    outer = Agent(helper=helper, wipe=wipe)
    quiet("outer", allow=["helper"]).wrap(outer)
    assert outer.run("helper", "wipe") == [["wiped"], "gate.default"]
    judged = [(line["agent"], line["tool"]) for line in gatefile.lines(agentcop_home, "decision")]
    assert judged == [("outer", "helper"), ("inner", "wipe"), ("outer", "wipe")]


def _on_a_raw_thread(call: Callable[[], object]) -> object:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(rule_of(call)))
    thread.start()
    thread.join()
    return found[0]


def _in_an_executor(call: Callable[[], object]) -> object:
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(rule_of, call).result()


def _to_thread(call: Callable[[], object]) -> object:
    return asyncio.run(asyncio.to_thread(rule_of, call))


def _in_a_loops_executor(call: Callable[[], object]) -> object:
    async def main() -> object:
        return await asyncio.get_running_loop().run_in_executor(None, rule_of, call)

    return asyncio.run(main())


_ELSEWHERE = [_on_a_raw_thread, _in_an_executor, _to_thread, _in_a_loops_executor]


@pytest.mark.parametrize("elsewhere", _ELSEWHERE)
def test_a_tool_without_a_cop_of_its_own_is_judged_on_another_thread_of_the_run(
    elsewhere: Callable[[Callable[[], object]], object],
) -> None:
    class Threaded(Agent):
        def run(self, *names: str) -> list[object]:
            return [elsewhere(lambda: seam.admit("unlisted", {}, ())) for _ in names]

    agent = Threaded(read=read)
    quiet("runs", allow=["read"]).wrap(agent)
    assert agent.run("x") == ["gate.default"]


@pytest.mark.parametrize("elsewhere", _ELSEWHERE)
def test_a_tool_with_a_cop_is_judged_by_it_on_any_thread(
    elsewhere: Callable[[Callable[[], object]], object],
) -> None:
    guarded = quiet("own", allow=["read"]).tool(wipe)
    assert elsewhere(guarded) == "gate.default"
    assert RAN == []


def test_with_two_runs_in_flight_a_call_without_context_gets_the_stricter_verdict() -> None:
    class Waiting(Agent):
        def run(self, *names: str) -> list[object]:
            inside.wait(30)
            done.wait(30)
            return []

    inside, done = threading.Barrier(3), threading.Event()
    agents = [Waiting(read=read), Waiting(read=read)]
    quiet("lenient", allow=["read", "unlisted"]).wrap(agents[0])
    quiet("stricter", allow=["read"]).wrap(agents[1])
    runs = [threading.Thread(target=agent.run) for agent in agents]
    for run in runs:
        run.start()
    inside.wait(30)
    try:
        assert _on_a_raw_thread(lambda: seam.admit("unlisted", {}, ())) == "gate.default"
    finally:
        done.set()
        for run in runs:
            run.join()


def test_refusals_on_raw_threads_count_against_the_only_run_in_flight_and_halt_it() -> None:
    class Threaded(Agent):
        def run(self, *names: str) -> list[object]:
            return [_on_a_raw_thread(self.tools[name]) for name in names]

    agent = Threaded(read=read, wipe=wipe)
    quiet("runs", allow=["read"], max_refusals=2).wrap(agent)
    with pytest.raises(ToolBlocked):
        agent.run("read", "wipe", "wipe", "read")
    assert RAN == ["read "], "after the second refusal nothing of this run runs, on whatever thread"


def test_refusals_outside_any_run_halt_nothing() -> None:
    guard = quiet("plain", allow=["read"], max_refusals=2)
    allowed, refused = guard.tool(read), guard.tool(wipe)
    assert [rule_of(refused) for _ in range(5)] == ["gate.default"] * 5
    assert allowed() == "read"


@pytest.mark.parametrize("second", ["a cop of another policy", "a cop of the same policy"])
def test_wrapping_an_agent_again_with_another_cop_is_an_error(second: str) -> None:
    agent = Agent(read=read)
    first = quiet("one", allow=["read"])
    first.wrap(agent)
    other = quiet("two", default="allow") if second.startswith("a cop of another") else quiet("one", allow=["read"])
    with pytest.raises(NotArmed, match="already wrapped by the cop of 'one'"):
        other.wrap(agent)
    assert first.wrap(agent) is agent, "the same cop may do it again"
    assert agent.run("read") == ["read"]


def test_a_cop_that_nobody_holds_any_more_still_judges_what_it_wrapped() -> None:
    guarded = quiet("gone", allow=["read"]).tool(wipe)
    assert rule_of(guarded) == "gate.default"
