"""Agents of the OpenAI Agents SDK behind the gate, in every way of running them."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from typing import TYPE_CHECKING, Any

import pytest
from agents import Runner, SQLiteSession, Usage, function_tool, handoff
from agents.tool_context import ToolContext
from pydantic import BaseModel

from agentcop import AgentCop, GatePolicy, NotArmed, PolicyBlocked
from agentcop.testing import Shape, Tools, check_adapter
from openai_server import call_tool, call_tools, say
from sdk_agents import (
    ASK,
    BOTH_IN_TURN,
    LOOKUP,
    WIPE,
    agent,
    as_the_user_says,
    both,
    model,
    outputs,
    run,
    run_streamed,
    run_sync,
    said,
    wait,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentcop.testing import Exercise
    from openai_server import Scripted

    Wrap = Callable[[Any], Any]

pytestmark = pytest.mark.frameworks
HOW: dict[str, Callable[..., Any]] = {"run": run, "run_sync": run_sync, "run_streamed": run_streamed}
BOTH_AT_ONCE = (call_tools(*LOOKUP.calls, *WIPE.calls), say("done"))


def cop(**gate: Any) -> AgentCop:
    return AgentCop(agent_id="agent", policy=GatePolicy(**{"allow": ["lookup"], **gate}))


def running(how: Callable[[Any], Any], script: Sequence[Scripted] = BOTH_IN_TURN) -> Exercise:
    def exercise(tools: Tools, wrap: Wrap) -> object:
        with model(script) as (llm, _):
            return said(how(wrap(agent(llm, both(tools)))))

    return exercise


def batched(tools: Tools, wrap: Wrap) -> object:
    with model([as_the_user_says] * 6) as (llm, _):
        wrapped = wrap(agent(llm, both(tools)))

        async def all_at_once() -> list[Any]:
            asked = (Runner.run(wrapped, name) for name in ("lookup", "wipe", "lookup"))
            return list(await asyncio.gather(*asked, return_exceptions=True))

        results = wait(all_at_once())
        for raised in (each for each in results if isinstance(each, BaseException)):
            raise raised
        return [said(result) for result in results]


def sub_agent(tools: Tools, wrap: Wrap) -> object:
    with model([call_tool("delegate", input="go"), *BOTH_IN_TURN, say("all done")]) as (llm, _):
        delegate = agent(llm, both(tools), name="inner").as_tool("delegate", "Let another agent do it.")
        delegate.on_invoke_tool = noting(delegate.on_invoke_tool, tools)
        return said(run(wrap(agent(llm, [delegate]))))


def noting(body: Any, tools: Tools) -> Any:
    async def invoke(context: Any, text: str) -> Any:
        tools.delegate()
        return await body(context, text)

    return invoke


def direct(tools: Tools, wrap: Wrap) -> object:
    lookup, wipe = wrap(both(tools))
    return [call(lookup, '{"query": "x"}'), call(wipe, '{"path": "y"}')]


def call(tool: Any, text: str) -> Any:
    context = ToolContext(context=None, tool_name=tool.name, tool_call_id="call-1", tool_arguments=text)
    return wait(tool.on_invoke_tool(context, text))


@pytest.mark.parametrize("responses", [False, True], ids=["chat completions", "responses"])
def test_the_sdk_conforms(responses: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with_protocol = model
    monkeypatch.setitem(
        globals(), "model", lambda script, **options: with_protocol(script, responses=responses, **options)
    )
    exercises: dict[Shape, Exercise] = {
        "sync": running(run_sync),
        "async": running(run),
        "astream": running(run_streamed),
        "batch": batched,
        "parallel": running(run, BOTH_AT_ONCE),
        "sub_agent": sub_agent,
        "direct": direct,
    }
    without: dict[Shape, str] = {"stream": "a streamed run is iterated asynchronously only"}
    if responses:
        without["batch"] = "what was asked is read in chat completions' form"
        del exercises["batch"]
    check_adapter("openai-agents", exercises, without=without)


@pytest.mark.parametrize("how", HOW)
def test_the_caller_gets_the_refusal_and_the_model_is_not_asked_again(how: str) -> None:
    tools = Tools()
    with model([WIPE, say("done")]) as (llm, url):
        wrapped = cop().wrap(agent(llm, both(tools)))
        with pytest.raises(PolicyBlocked) as refused:
            HOW[how](wrapped)
    assert (refused.value.tool, tools.ran, len(url.requests)) == ("wipe", [], 1)


@pytest.mark.parametrize("how", HOW)
def test_a_quiet_refusal_is_the_output_of_the_tool_and_the_run_goes_on(how: str) -> None:
    with model([WIPE, say("done")]) as (llm, url):
        result = HOW[how](cop(on_block="return_message").wrap(agent(llm, both(Tools()))))
    assert outputs(result) == ["Blocked by policy (gate.default). Do not retry; tell the user."]
    assert url.requests[1]["messages"][-1]["content"] == outputs(result)[0]
    assert result.final_output == "done"


@pytest.mark.parametrize("how", HOW)
def test_a_refusal_that_ends_the_run_as_its_last_word_is_raised_all_the_same(how: str) -> None:
    tools = Tools()
    with model([WIPE]) as (llm, url):
        wrapped = cop().wrap(agent(llm, both(tools), tool_use_behavior="stop_on_first_tool"))
        with pytest.raises(PolicyBlocked):
            HOW[how](wrapped)
    assert (tools.ran, len(url.requests)) == ([], 1)


def test_of_calls_made_at_once_the_allowed_one_runs_and_the_entry_raises() -> None:
    tools = Tools()
    with model(BOTH_AT_ONCE) as (llm, url):
        with pytest.raises(PolicyBlocked):
            run(cop().wrap(agent(llm, both(tools))))
        assert len(url.requests) == 1
    assert tools.ran in (["lookup x"], [])


@pytest.mark.parametrize("how", HOW)
def test_a_sub_agent_that_swallows_the_refusal_does_not_hide_it(how: str) -> None:
    tools = Tools()
    script = [call_tool("delegate", input="go"), WIPE, say("gone"), say("all done")]
    with model(script) as (llm, url):
        inner = agent(llm, both(tools), name="inner")
        delegate = inner.as_tool(
            "delegate", "Let another agent do it.", failure_error_function=lambda *_: "it went well"
        )
        wrapped = cop(allow=["delegate"]).wrap(agent(llm, [delegate]))
        with pytest.raises(PolicyBlocked) as refused:
            HOW[how](wrapped)
    assert (refused.value.tool, tools.ran, len(url.requests)) == ("wipe", [], 2)


def test_agents_as_tools_of_agents_as_tools_are_governed_to_the_bottom() -> None:
    tools = Tools()
    deep = [call_tool("delegate", input="go"), call_tool("delegate", input="go"), *BOTH_IN_TURN, say("up"), say("top")]
    with model(deep) as (llm, _):
        bottom = agent(llm, both(tools), name="bottom").as_tool("delegate", "…")
        middle = agent(llm, [bottom], name="middle").as_tool("delegate", "…")
        guard = cop(allow=["lookup", "delegate"], on_block="return_message")
        assert run(guard.wrap(agent(llm, [middle]))).final_output == "top"
    assert (tools.ran, guard.counts()) == (["lookup x"], {"allowed": 3, "blocked": 1})


@pytest.mark.parametrize("how", HOW)
def test_an_agent_that_is_handed_over_to_is_governed_by_the_runs_cop(how: str) -> None:
    tools = Tools()
    with model([call_tool("transfer_to_other"), *BOTH_IN_TURN]) as (llm, _):
        other = agent(llm, both(tools), name="other")
        guard = cop(on_block="return_message")
        result = HOW[how](guard.wrap(agent(llm, [], handoffs=[other])))
    assert result.last_agent is other
    assert (tools.ran, guard.counts()) == (["lookup x"], {"allowed": 1, "blocked": 1})


def test_agents_that_hand_over_in_circles_stay_governed_and_end_as_ever() -> None:
    tools = Tools()
    circle = [call_tool("transfer_to_b"), call_tool("transfer_to_a"), WIPE, call_tool("transfer_to_b"), say("dizzy")]
    with model(circle) as (llm, _):
        first = agent(llm, both(tools), name="a")
        first.handoffs = [agent(llm, [], name="b", handoffs=[first])]
        guard = cop(on_block="return_message")
        assert run(guard.wrap(first)).final_output == "dizzy"
    assert (tools.ran, guard.counts()) == ([], {"blocked": 1})


class Ticket(BaseModel):
    """What a hand-over tells the application."""

    reason: str


def test_a_hand_over_that_gives_the_application_data_is_a_call_of_its_own() -> None:
    opened: list[str] = []

    def on_handoff(context: Any, ticket: Ticket) -> None:
        opened.append(ticket.reason)

    def script(reason: str) -> list[Scripted]:
        return [call_tool("transfer_to_other", reason=reason), say("bye")]

    guard = cop(allow=[{"tool": "transfer_to_other", "when": 'args.reason == "late"'}])
    for reason in ("late", "rude"):
        with model(script(reason)) as (llm, _):
            over = handoff(agent(llm, [], name="other"), on_handoff=on_handoff, input_type=Ticket)
            wrapped = guard.wrap(agent(llm, [], handoffs=[over]))
            if reason == "late":
                assert run(wrapped).final_output == "bye"
            else:
                with pytest.raises(PolicyBlocked) as refused:
                    run(wrapped)
                assert refused.value.tool == "transfer_to_other"
    assert opened == ["late"]


COPIES: dict[str, Callable[[Any, list[Any]], Any]] = {
    "clone": lambda made, tools: made.clone(name="clone", tools=tools),
    "copy": lambda made, tools: with_tools(copy.copy(made), tools),
    "deepcopy": lambda made, tools: with_tools(copy.deepcopy(made), tools),
}


def with_tools(made: Any, tools: list[Any]) -> Any:
    made.tools = tools
    return made


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_governed_like_the_agent_with_whatever_tools_it_has(how: str) -> None:
    tools = Tools()
    with model([WIPE]) as (llm, _):
        copied = COPIES[how](cop().wrap(agent("gpt-4", [])), both(tools))
        copied.model = llm
        with pytest.raises(PolicyBlocked):
            run(copied)
    assert tools.ran == []


def test_a_runner_of_ones_own_runs_nothing_past_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own:
        """It runs agents as it likes, and swallows what goes wrong."""

        async def run(self, starting_agent: Any, input: Any, **_: Any) -> Any:  # noqa: A002 -- as the SDK calls it
            with contextlib.suppress(Exception):
                await starting_agent.tools[0].on_invoke_tool(context(starting_agent.tools[0]), '{"path": "y"}')
            return "it went well"

    tools = Tools()
    monkeypatch.setattr("agents.run.DEFAULT_AGENT_RUNNER", Own())
    with model([]) as (llm, _), pytest.raises(PolicyBlocked):
        run(cop().wrap(agent(llm, both(tools)[1:])))
    assert tools.ran == []


def test_a_tool_that_comes_to_the_agent_later_is_governed() -> None:
    tools = Tools()
    with model([call_tool("grow"), WIPE]) as (llm, _):

        @function_tool
        def grow() -> str:
            """Learn something."""
            wrapped.tools.append(both(tools)[1])
            return "grown"

        wrapped = cop(allow=["grow"]).wrap(agent(llm, [grow]))
        with pytest.raises(PolicyBlocked):
            run(wrapped)
    assert tools.ran == []


def test_runs_of_one_session_are_one_conversation() -> None:
    with model([LOOKUP, say("done"), LOOKUP, say("done")]) as (llm, _):
        guard = cop(allow=[{"tool": "lookup", "when": "session.calls < 1"}])
        wrapped = guard.wrap(agent(llm, both(Tools())))
        session = SQLiteSession("talk-7")
        run(wrapped, session=session)
        with pytest.raises(PolicyBlocked):
            run(wrapped, session=session)
        session.close()
    assert guard.counts() == {"allowed": 1, "blocked": 1}


def test_a_streamed_run_that_is_cancelled_ends_and_says_so() -> None:
    tools = Tools()

    async def leave(wrapped: Any) -> None:
        result = Runner.run_streamed(wrapped, ASK)
        async for _ in result.stream_events():
            result.cancel()

    with model(BOTH_IN_TURN) as (llm, _):
        guard = cop()
        wait(leave(guard.wrap(agent(llm, both(tools)))))
        assert tools.ran == []
        assert guard._gate.in_flight is False  # noqa: SLF001 -- what a call on a raw thread would be judged by


def test_a_streamed_run_that_nobody_iterates_ends_too_and_is_governed() -> None:
    tools = Tools()

    async def ignore(wrapped: Any) -> None:
        await asyncio.wait([Runner.run_streamed(wrapped, ASK).run_loop_task])
        await asyncio.sleep(0)

    with model(BOTH_IN_TURN) as (llm, url):
        guard = cop()
        wait(ignore(guard.wrap(agent(llm, both(tools)))))
    assert (tools.ran, len(url.requests)) == (["lookup x"], 2)
    assert guard._gate.in_flight is False  # noqa: SLF001 -- as above


def test_a_run_does_not_leak_to_the_caller_of_a_stream() -> None:
    outside = both(Tools())[1]

    async def call_between(wrapped: Any) -> None:
        async for _ in Runner.run_streamed(wrapped, ASK).stream_events():
            other = cop(default="allow", allow=[])
            other.wrap([outside])
            await outside.on_invoke_tool(context(outside), '{"path": "mine"}')
            assert other.counts() == {"allowed": 1}

    with model(BOTH_IN_TURN) as (llm, _):
        guard = cop(allow=["lookup", "wipe"])
        wait(call_between(guard.wrap(agent(llm, both(Tools())))))
    assert guard.counts() == {"allowed": 2}


def context(tool: Any) -> Any:
    return ToolContext(context=None, usage=Usage(), tool_name=tool.name, tool_call_id="c", tool_arguments="{}")


def test_an_agent_of_another_cop_is_not_wrapped_again() -> None:
    with model([]) as (llm, _):
        made = agent(llm, both(Tools()))
    first = cop()
    assert first.wrap(first.wrap(made)) is made
    with pytest.raises(NotArmed, match="already wrapped"):
        cop().wrap(made)


def test_an_object_that_holds_an_agent_is_one() -> None:
    class Assistant:
        def __init__(self, made: Any) -> None:
            self.made = made

        def run(self, text: str) -> Any:
            return run(self.made, text)

    tools = Tools()
    with model([WIPE]) as (llm, _):
        assistant = cop().wrap(Assistant(agent(llm, both(tools))))
        with pytest.raises(PolicyBlocked):
            assistant.run("go")
    assert tools.ran == []


def test_a_model_alone_is_not_armed() -> None:
    with model([]) as (llm, _), pytest.raises(NotArmed, match="neither an agent nor a tool"):
        cop().wrap(llm)
