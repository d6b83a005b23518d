"""`create_agent` and langgraph behind the gate, in every way of running them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ToolRetryMiddleware
from langchain_core.messages import AnyMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from agentcop import AgentCop, GatePolicy, NotArmed, PolicyBlocked
from agentcop.testing import Shape, Tools, check_adapter
from langchain_agents import BOTH_IN_TURN, LOOKUP, WIPE, as_the_user_says, model, structured
from openai_server import call_tool, call_tools, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentcop.testing import Exercise
    from openai_server import Scripted

    Wrap = Callable[[Any], Any]

pytestmark = pytest.mark.frameworks
ASK = {"messages": [{"role": "user", "content": "go"}]}


def said(state: Any) -> list[tuple[str, str]]:
    return [(message.type, message.content) for message in state["messages"]]


def running(run: Callable[[Any], object], script: Sequence[Scripted] = BOTH_IN_TURN) -> Exercise:
    def exercise(tools: Tools, wrap: Wrap) -> object:
        with model(script) as (llm, _):
            return run(wrap(create_agent(llm, structured(tools))))

    return exercise


def streamed(agent: Any) -> object:
    chunks = agent.stream(ASK, stream_mode="values")
    return [said(chunk) for chunk in chunks]


def astreamed(agent: Any) -> object:
    async def collect() -> list[tuple[str, list[tuple[str, str]]]]:
        return [(node, said(update)) async for chunk in agent.astream(ASK) for node, update in chunk.items()]

    return asyncio.run(collect())


def batched(agent: Any) -> object:
    asked = [{"messages": [("user", name)]} for name in ("lookup", "wipe", "lookup")]
    return [said(state) for state in agent.batch(asked)]


def sub_agent(tools: Tools, wrap: Wrap) -> object:
    class State(TypedDict):
        messages: Annotated[list[AnyMessage], add_messages]

    with model(BOTH_IN_TURN) as (llm, _):
        graph = StateGraph(State)
        graph.add_node("inner", create_agent(llm, structured(tools)))
        graph.add_edge(START, "inner")
        graph.add_edge("inner", END)
        return said(wrap(graph.compile()).invoke(ASK))


def direct(tools: Tools, wrap: Wrap) -> object:
    lookup, wipe = wrap(structured(tools))
    return [lookup.invoke({"query": "x"}), wipe.invoke({"path": "y"})]


def test_create_agent_conforms() -> None:
    exercises: dict[Shape, Exercise] = {
        "sync": running(lambda agent: said(agent.invoke(ASK))),
        "async": running(lambda agent: said(asyncio.run(agent.ainvoke(ASK)))),
        "stream": running(streamed),
        "astream": running(astreamed),
        "batch": running(batched, [as_the_user_says] * 6),
        "parallel": running(
            lambda agent: said(agent.invoke(ASK)), [call_tools(*LOOKUP.calls, *WIPE.calls), say("done")]
        ),
        "sub_agent": sub_agent,
        "direct": direct,
    }
    check_adapter("langchain 1", exercises)


def cop(**gate: Any) -> AgentCop:
    return AgentCop(agent_id="agent", policy=GatePolicy(**{"allow": ["lookup"], **gate}))


async def events(agent: Any) -> list[Any]:
    return [event async for event in agent.astream_events(ASK, version="v2")]


async def messages(agent: Any) -> list[Any]:
    return [event async for event in agent.astream(ASK, stream_mode="messages")]


RUNS: dict[str, Callable[[Any], object]] = {
    "messages": lambda agent: list(agent.stream(ASK, stream_mode="messages")),
    "updates and custom": lambda agent: list(agent.stream(ASK, stream_mode=["updates", "custom"])),
    "debug": lambda agent: list(agent.stream(ASK, stream_mode="debug")),
    "async messages": lambda agent: asyncio.run(messages(agent)),
    "events": lambda agent: asyncio.run(events(agent)),
    "abatch": lambda agent: asyncio.run(agent.abatch([ASK])),
    "with_config": lambda agent: agent.with_config(tags=["a"], recursion_limit=9).invoke(ASK),
    "with_retry": lambda agent: agent.with_retry(stop_after_attempt=1).invoke(ASK),
    "a sequence": lambda agent: (agent | (lambda state: state)).invoke(ASK),
}


@pytest.mark.parametrize("how", RUNS)
def test_the_caller_gets_the_refusal_and_the_model_is_not_asked_again(how: str) -> None:
    tools = Tools()
    with model([WIPE, say("done")]) as (llm, url):
        agent = cop().wrap(create_agent(llm, structured(tools)))
        with pytest.raises(PolicyBlocked) as refused:
            RUNS[how](agent)
    assert (refused.value.tool, tools.ran, len(url.requests)) == ("wipe", [], 1)


def test_a_quiet_refusal_is_a_tool_message_of_status_error_under_the_calls_id() -> None:
    with model([WIPE, say("done")]) as (llm, url):
        agent = cop(on_block="return_message").wrap(create_agent(llm, structured(Tools())))
        state = agent.invoke(ASK)
    (message,) = [each for each in state["messages"] if isinstance(each, ToolMessage)]
    assert (message.status, message.tool_call_id, message.name) == ("error", "call_1_0", "wipe")
    assert message.content == "Blocked by policy (gate.default). Do not retry; tell the user."
    assert url.requests[1]["messages"][-1]["content"] == message.content


def test_a_checkpointer_holds_the_refusal_and_the_thread_can_go_on() -> None:
    tools = Tools()
    thread = {"configurable": {"thread_id": "t"}}
    with model([WIPE, LOOKUP, say("done")]) as (llm, _):
        agent = cop().wrap(create_agent(llm, structured(tools), checkpointer=InMemorySaver()))
        with pytest.raises(PolicyBlocked):
            agent.invoke(ASK, thread)
        state = agent.invoke(ASK, thread)
    assert tools.ran == ["lookup x"]
    assert [text for kind, text in said(state) if kind == "tool"] == [
        "Blocked by policy (gate.default). Do not retry; tell the user.",
        "found x",
    ]


def test_runs_of_one_thread_are_one_session() -> None:
    thread = {"configurable": {"thread_id": "talk-7"}}
    with model([LOOKUP, say("done"), LOOKUP, say("done")]) as (llm, _):
        guard = cop(allow=[{"tool": "lookup", "when": "session.calls < 1"}])
        agent = guard.wrap(create_agent(llm, structured(Tools()), checkpointer=InMemorySaver()))
        agent.invoke(ASK, thread)
        with pytest.raises(PolicyBlocked):
            agent.invoke(ASK, config=thread)
    assert guard.counts() == {"allowed": 1, "blocked": 1}


def test_a_middleware_that_retries_tools_does_not_retry_a_refusal() -> None:
    with model([WIPE, say("done")]) as (llm, _):
        guard = cop(on_block="return_message")
        agent = guard.wrap(create_agent(llm, structured(Tools()), middleware=[ToolRetryMiddleware(max_retries=3)]))
        agent.invoke(ASK)
    assert guard.counts() == {"blocked": 1}


def test_a_run_does_not_leak_to_the_caller_between_two_steps() -> None:
    tools = Tools()
    outside = structured(Tools())[1]
    with model(BOTH_IN_TURN) as (llm, _):
        guard = cop(allow=["lookup", "wipe"], block=["never"])
        for _ in guard.wrap(create_agent(llm, structured(tools))).stream(ASK):
            other = cop(default="allow", allow=[])
            other.wrap([outside])
            outside.invoke({"path": "mine"})
            assert other.counts() == {"allowed": 1}
    assert guard.counts() == {"allowed": 2}


def test_an_agent_of_another_cop_is_not_wrapped_again() -> None:
    with model([]) as (llm, _):
        agent = create_agent(llm, structured(Tools()))
    first = cop()
    assert first.wrap(first.wrap(agent)) is agent
    with pytest.raises(NotArmed, match="already wrapped"):
        cop().wrap(agent)


def test_what_is_bound_to_a_configuration_is_wrapped_inside_and_comes_back_as_it_is() -> None:
    tools = Tools()
    with model([WIPE]) as (llm, _):
        bound = create_agent(llm, structured(tools)).with_retry(stop_after_attempt=1)
        assert cop().wrap(bound) is bound
        with pytest.raises(PolicyBlocked):
            bound.invoke(ASK)
    assert tools.ran == []


def test_an_agent_with_a_cop_of_its_own_is_judged_by_that_when_another_agent_asks_it() -> None:
    tools = Tools()
    with model([call_tool("delegate", task="go"), *BOTH_IN_TURN, say("all done")]) as (llm, _):
        strict = cop(on_block="return_message")
        inner = strict.wrap(create_agent(llm, structured(tools)))

        def delegate(task: str) -> str:
            """Let another agent do it."""
            return str(inner.invoke({"messages": [("user", task)]})["messages"][-1].content)

        lenient = cop(default="allow", allow=[])
        outer = lenient.wrap(create_agent(llm, [StructuredTool.from_function(delegate)]))
        assert said(outer.invoke(ASK))[-2:] == [("tool", "done"), ("ai", "all done")]
    assert tools.ran == ["lookup x"]
    assert (lenient.counts(), strict.counts()) == ({"allowed": 1}, {"allowed": 1, "blocked": 1})


def test_an_unlisted_tool_in_a_sub_agents_body_ends_the_outer_run() -> None:
    tools = Tools()
    with model([call_tool("delegate", task="go"), WIPE, say("gone"), say("all done")]) as (llm, url):
        inner = create_agent(llm, structured(tools))

        def delegate(task: str) -> str:
            """Let another agent do it, and hush up what went wrong."""
            try:
                return str(inner.invoke({"messages": [("user", task)]}))
            except Exception:
                return "it went well"

        outer = cop(allow=["delegate"]).wrap(create_agent(llm, [StructuredTool.from_function(delegate)]))
        with pytest.raises(PolicyBlocked) as refused:
            outer.invoke(ASK)
    assert (refused.value.tool, tools.ran, len(url.requests)) == ("wipe", [], 2)


def test_an_object_that_holds_a_graph_is_an_agent() -> None:
    class Assistant:
        def __init__(self, graph: Any) -> None:
            self.graph = graph

        def run(self, text: str) -> Any:
            return self.graph.invoke({"messages": [("user", text)]})

    tools = Tools()
    with model([WIPE]) as (llm, _):
        assistant = cop().wrap(Assistant(create_agent(llm, structured(tools))))
        with pytest.raises(PolicyBlocked):
            assistant.run("go")
    assert tools.ran == []


def test_a_model_or_a_prompt_alone_is_not_armed() -> None:
    with model([]) as (llm, _), pytest.raises(NotArmed, match="neither an agent nor a tool"):
        cop().wrap(llm)
