"""A held call of the OpenAI Agents SDK waits for its approver, and the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from agents import FunctionTool, Runner, ShellTool, function_tool

import approvals
from agentcop import ApprovalDenied, Approve, Deny, ToolCall
from openai_server import Reply, call_tool, call_tools, say
from sdk_agents import ASK, agent, model, outputs, run, run_streamed, run_sync, wait

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.frameworks
RAN: list[Any] = []
QUIET = "{require_approval: [pay, shell], on_block: return_message}"


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def pay_tool(**options: Any) -> FunctionTool:
    @function_tool(**options)
    def pay(amount: int) -> str:
        """Pay."""
        RAN.append(amount)
        return f"paid {amount}"

    return pay


def pay_later_tool() -> FunctionTool:
    @function_tool(name_override="pay")
    async def pay_later(amount: int) -> str:
        """Pay."""
        await asyncio.sleep(0)
        RAN.append(amount)
        return f"paid {amount}"

    return pay_later


def small(call: ToolCall, deadline: float) -> Approve | Deny:
    return Approve(by="ann") if call.arguments.plain == {"amount": 5} else Deny("too much", by="ann")


async def small_later(call: ToolCall, deadline: float) -> Approve | Deny:
    await asyncio.sleep(0)
    return small(call, deadline)


@pytest.mark.parametrize("approver", [small, small_later])
@pytest.mark.parametrize("make", [pay_tool, pay_later_tool])
@pytest.mark.parametrize("how", [run, run_sync, run_streamed])
def test_of_parallel_calls_the_approved_one_runs_and_the_denied_one_says_why(
    tmp_path: Path, approver: Any, make: Any, how: Any
) -> None:
    script = [call_tools(("pay", {"amount": 5}), ("pay", {"amount": 6})), say("done")]
    with model(script) as (llm, _):
        result = how(approvals.cop(tmp_path, approver, gate=QUIET).wrap(agent(llm, [make()])))
    denied = "Denied by ann (gate.require_approval[0]): too much. Do not retry; tell the user."
    assert outputs(result) == ["paid 5", denied]
    assert RAN == [5]


@pytest.mark.parametrize("how", [run, run_sync, run_streamed])
def test_under_raise_a_denial_reaches_the_agents_caller(tmp_path: Path, how: Any) -> None:
    with model([call_tool("pay", amount=6), say("done")]) as (llm, _):
        wrapped = approvals.cop(tmp_path, small).wrap(agent(llm, [pay_tool()]))
        with pytest.raises(ApprovalDenied, match="too much"):
            how(wrapped)
    assert RAN == []


async def while_it_waits(wrapped: Any, steered: approvals.Steered) -> Any:
    running = asyncio.ensure_future(Runner.run(wrapped, ASK))
    while not steered.asked and not running.done():  # noqa: ASYNC110 -- another thread asks
        await asyncio.sleep(0.001)
    assert RAN == []
    steered.go.set()
    return await running


def test_the_loop_goes_on_while_a_call_waits(tmp_path: Path) -> None:
    steered = approvals.Steered()
    with model([call_tool("pay", amount=7), say("done")]) as (llm, _):
        wrapped = approvals.cop(tmp_path, steered).wrap(agent(llm, [pay_tool()]))
        assert outputs(wait(while_it_waits(wrapped, steered))) == ["paid 7"]


def test_it_goes_on_too_while_an_executor_that_is_no_coroutine_waits(tmp_path: Path) -> None:
    def execute(request: Any) -> str:
        RAN.append(request.data.action.commands)
        return "done"

    steered = approvals.Steered()
    item = {"type": "shell_call", "action": {"commands": ["ls"], "timeout_ms": None, "max_output_length": None}}
    with model([Reply(items=(item,)), say("done")], responses=True) as (llm, _):
        wrapped = approvals.cop(tmp_path, steered, gate=QUIET).wrap(agent(llm, [ShellTool(executor=execute)]))
        wait(while_it_waits(wrapped, steered))
    assert RAN == [["ls"]]


def test_a_call_that_nobody_can_be_asked_about_does_not_run(tmp_path: Path) -> None:
    with model([call_tool("pay", amount=5), say("done")]) as (llm, _):
        result = run(approvals.cop(tmp_path, gate=QUIET).wrap(agent(llm, [pay_tool()])))
    (output,) = outputs(result)
    assert "nobody can be asked" in output
    assert RAN == []


def test_the_sdks_own_approval_comes_first_and_is_no_approval_of_ours(tmp_path: Path) -> None:
    asked: list[ToolCall] = []

    def deny(call: ToolCall, deadline: float) -> Deny:
        asked.append(call)
        return Deny("no", by="ann")

    with model([call_tool("pay", amount=5), say("done")]) as (llm, _):
        guard = approvals.cop(tmp_path, deny, gate=QUIET)
        wrapped = guard.wrap(agent(llm, [pay_tool(needs_approval=True)]))
        interrupted = run(wrapped)
        assert (len(interrupted.interruptions), asked, guard.counts()) == (1, [], {})
        state = interrupted.to_state()
        state.approve(interrupted.interruptions[0])
        resumed = run(wrapped, state)
    assert len(asked) == 1
    assert "Denied by ann" in outputs(resumed)[-1]
    assert RAN == []


def test_a_policy_of_the_sdk_that_looks_at_the_arguments_does_not_fix_them_before_the_verdict(tmp_path: Path) -> None:
    async def look(context: Any, arguments: dict[str, Any], call_id: str) -> bool:
        arguments["amount"] = 1_000
        return False

    with model([call_tool("pay", amount=5), say("done")]) as (llm, _):
        guard = approvals.cop(tmp_path, small, gate=QUIET)
        result = run(guard.wrap(agent(llm, [pay_tool(needs_approval=look)])))
    assert outputs(result) == ["paid 5"]
    assert RAN == [5]


def test_a_run_that_is_cancelled_while_its_call_waits_runs_nothing(tmp_path: Path) -> None:
    steered = approvals.Steered()

    async def cancel(wrapped: Any) -> None:
        running = asyncio.ensure_future(Runner.run(wrapped, ASK))
        while not steered.asked and not running.done():  # noqa: ASYNC110 -- another thread asks
            await asyncio.sleep(0.001)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        steered.go.set()

    with model([call_tool("pay", amount=7), say("done")]) as (llm, _):
        wait(cancel(approvals.cop(tmp_path, steered).wrap(agent(llm, [pay_tool()]))))
    for thread in steered.threads:
        thread.join(30)
    assert RAN == []
