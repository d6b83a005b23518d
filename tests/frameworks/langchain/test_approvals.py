"""A held call of a LangChain agent waits for its approver and comes back as the result, or as words for the model."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import StructuredTool

import approvals
from agentcop import ApprovalDenied, Approve, Deny, ToolCall
from langchain_agents import model
from openai_server import call_tool, call_tools, say

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.frameworks
ASK = {"messages": [("user", "go")]}
RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def pay(amount: int) -> str:
    """Pay."""
    RAN.append(amount)
    return f"paid {amount}"


async def pay_later(amount: int) -> str:
    """Pay."""
    await asyncio.sleep(0)
    return pay(amount)


SYNC = StructuredTool.from_function(pay)
ASYNC = StructuredTool.from_function(coroutine=pay_later, name="pay")


def small(call: ToolCall, deadline: float) -> Approve | Deny:
    return Approve(by="ann") if call.arguments.plain == {"amount": 5} else Deny("too much", by="ann")


async def small_later(call: ToolCall, deadline: float) -> Approve | Deny:
    await asyncio.sleep(0)
    return small(call, deadline)


def results(folder: Path, approver: Any, tool: StructuredTool, script: list[Any], *, later: bool) -> list[str]:
    """What the model reads for each of its calls."""
    quiet = "{require_approval: [pay], on_block: return_message}"
    with model(script) as (llm, _):
        agent = approvals.cop(folder, approver, gate=quiet).wrap(create_agent(llm, [tool]))
        state = asyncio.run(agent.ainvoke(ASK)) if later else agent.invoke(ASK)
    return [message.content for message in state["messages"] if message.type == "tool"]


WAYS = [(SYNC, False), (SYNC, True), (ASYNC, True)]


@pytest.mark.parametrize("approver", [small, small_later])
@pytest.mark.parametrize(("tool", "later"), WAYS, ids=["sync", "sync-in-loop", "async"])
def test_of_parallel_calls_the_approved_one_runs_and_the_denied_one_says_why(
    tmp_path: Path, approver: Any, tool: StructuredTool, later: bool
) -> None:
    script = [call_tools(("pay", {"amount": 5}), ("pay", {"amount": 6})), say("done")]
    denied = "Denied by ann (gate.require_approval[0]): too much. Do not retry; tell the user."
    assert results(tmp_path, approver, tool, script, later=later) == ["paid 5", denied]
    assert RAN == [5]


@pytest.mark.parametrize("approver", [small, small_later])
@pytest.mark.parametrize(("tool", "later"), WAYS, ids=["sync", "sync-in-loop", "async"])
def test_under_raise_a_denial_reaches_the_agents_caller(
    tmp_path: Path, approver: Any, tool: StructuredTool, later: bool
) -> None:
    with model([call_tool("pay", amount=6), say("done")]) as (llm, _):
        agent = approvals.cop(tmp_path, approver).wrap(create_agent(llm, [tool]))
        with pytest.raises(ApprovalDenied, match="too much"):
            asyncio.run(agent.ainvoke(ASK)) if later else agent.invoke(ASK)
    assert RAN == []


def test_the_loop_goes_on_while_an_agents_call_waits(tmp_path: Path) -> None:
    steered = approvals.Steered()

    async def main(agent: Any) -> list[str]:
        running = asyncio.ensure_future(agent.ainvoke(ASK))
        while not steered.asked:  # noqa: ASYNC110 -- another thread asks
            await asyncio.sleep(0.001)
        assert RAN == []
        steered.go.set()
        return [message.content for message in (await running)["messages"] if message.type == "tool"]

    with model([call_tool("pay", amount=7), say("done")]) as (llm, _):
        agent = approvals.cop(tmp_path, steered).wrap(create_agent(llm, [ASYNC]))
        assert asyncio.run(main(agent)) == ["paid 7"]
