"""Approval where calls pass through methods of tool objects and agents: sync blocks, async awaits, runs stay whole."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import approvals
from agentcop import ApprovalDenied, Approve, Deny, ToolCall
from agentcop_processor.runs import current_run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


class Pay:
    name = "pay"

    def run(self, amount: int) -> str:
        RAN.append(amount)
        return "paid"

    async def arun(self, amount: int) -> str:
        await asyncio.sleep(0)
        return self.run(amount)


class Agent:
    def __init__(self, tool: Any) -> None:
        self.tools = [tool]
        self.seen: list[str] = []

    def run(self, amount: int) -> str:
        return f"I {self.tools[0].run(amount)}"

    async def arun(self, amount: int) -> str:
        return f"I {await self.tools[0].arun(amount)}"


async def later(call: ToolCall, deadline: float) -> Approve | Deny:
    await asyncio.sleep(0)
    return Approve(by="ann") if call.arguments.plain == {"amount": 5} else Deny("too much", by="ann")


def now(call: ToolCall, deadline: float) -> Approve | Deny:
    return Approve(by="ann") if call.arguments.plain == {"amount": 5} else Deny("too much", by="ann")


@pytest.mark.parametrize("approver", [now, later])
def test_the_agents_call_goes_on_after_a_yes(tmp_path: Path, approver: Callable[..., Any]) -> None:
    agent = approvals.cop(tmp_path, approver).wrap(Agent(Pay()))
    assert agent.run(5) == "I paid"
    assert asyncio.run(agent.arun(5)) == "I paid"
    assert RAN == [5, 5]


@pytest.mark.parametrize("approver", [now, later])
def test_a_denial_reaches_the_agents_caller_even_if_the_agent_swallows_it(
    tmp_path: Path, approver: Callable[..., Any]
) -> None:
    class Swallows(Agent):
        def run(self, amount: int) -> str:
            try:
                return super().run(amount)
            except ApprovalDenied as denied:
                self.seen.append(denied.message)
                return "never mind"

        async def arun(self, amount: int) -> str:
            try:
                return await super().arun(amount)
            except ApprovalDenied as denied:
                self.seen.append(denied.message)
                return "never mind"

    agent = approvals.cop(tmp_path, approver).wrap(Swallows(Pay()))
    with pytest.raises(ApprovalDenied):
        agent.run(6)
    with pytest.raises(ApprovalDenied):
        asyncio.run(agent.arun(6))
    assert agent.seen == ["too much", "too much"]
    assert RAN == []


@pytest.mark.parametrize("approver", [now, later])
def test_an_agent_that_is_another_agents_tool_runs_inside_the_approved_call(
    tmp_path: Path, approver: Callable[..., Any]
) -> None:
    runs: list[Any] = []

    class Sub:
        name = "pay"

        def __init__(self) -> None:
            self.tools = [lambda: None]

        def run(self, amount: int) -> str:
            runs.append(current_run())
            return "paid"

        async def arun(self, amount: int) -> str:
            return self.run(amount)

    sub = approvals.cop(tmp_path, None, gate="{allow: ['*']}").wrap(Sub())
    agent = approvals.cop(tmp_path, approver).wrap(Agent(sub))
    assert agent.run(5) == "I paid"
    assert asyncio.run(agent.arun(5)) == "I paid"
    assert len(set(runs)) == 2
    with pytest.raises(ApprovalDenied):
        agent.run(6)
    assert len(runs) == 2
    assert current_run() is None


def test_a_denied_call_of_a_batch_leaves_its_siblings_alone(tmp_path: Path) -> None:
    tool = approvals.cop(tmp_path, later).tool(Pay())

    async def batch() -> list[Any]:
        calls: list[Awaitable[str]] = [tool.arun(amount) for amount in (5, 6, 5)]
        return await asyncio.gather(*calls, return_exceptions=True)

    first, second, third = asyncio.run(batch())
    assert (first, type(second), third) == ("paid", ApprovalDenied, "paid")
    assert RAN == [5, 5]
