"""`AgentExecutor`, of langchain 0.3 or langchain-classic, behind the gate in every way of running it."""

from __future__ import annotations

import asyncio
import copy
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import StructuredTool

from agentcop import AgentCop, GatePolicy, PolicyBlocked
from agentcop.testing import Shape, Tools, check_adapter
from langchain_agents import BOTH_IN_TURN, LOOKUP, WIPE, as_the_user_says, model, structured
from openai_server import call_tool, call_tools, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentcop.testing import Exercise
    from openai_server import Scripted

    Wrap = Callable[[Any], Any]

pytestmark = pytest.mark.frameworks
agents = import_module("langchain_classic.agents" if find_spec("langchain_classic") else "langchain.agents")
ASK = {"input": "go"}


def executor(llm: Any, tools: Sequence[Any], **options: Any) -> Any:
    prompt = ChatPromptTemplate.from_messages([
        ("system", "Be brief."), ("user", "{input}"), ("placeholder", "{agent_scratchpad}"),
    ])  # fmt: skip
    return agents.AgentExecutor(agent=agents.create_tool_calling_agent(llm, tools, prompt), tools=tools, **options)


def running(run: Callable[[Any], object], script: Sequence[Scripted] = BOTH_IN_TURN) -> Exercise:
    def exercise(tools: Tools, wrap: Wrap) -> object:
        with model(script) as (llm, _):
            return run(wrap(executor(llm, structured(tools), return_intermediate_steps=True)))

    return exercise


def told(result: Any) -> object:
    steps = [(action.tool, action.tool_input, seen) for action, seen in result["intermediate_steps"]]
    return steps, result["output"]


def piece(chunk: Any) -> object:
    if "steps" in chunk:
        return [(step.action.tool, step.observation) for step in chunk["steps"]]
    return chunk.get("output") or [action.tool for action in chunk["actions"]]


def astreamed(agent: Any) -> object:
    async def collect() -> list[object]:
        return [piece(chunk) async for chunk in agent.astream(ASK)]

    return asyncio.run(collect())


def sub_agent(tools: Tools, wrap: Wrap) -> object:
    with model([call_tool("delegate", task="go"), *BOTH_IN_TURN, say("all done")]) as (llm, _):
        inner = executor(llm, structured(tools))

        def delegate(task: str) -> str:
            """Let another agent do it."""
            tools.delegate()
            return str(inner.invoke({"input": task})["output"])

        return wrap(executor(llm, [StructuredTool.from_function(delegate)])).invoke(ASK)


def direct(tools: Tools, wrap: Wrap) -> object:
    lookup, wipe = structured(tools)
    assert wrap(lookup) is lookup
    assert wrap(wipe) is wipe
    return [lookup.run("x"), asyncio.run(wipe.arun({"path": "y"}))]


def test_agent_executors_conform() -> None:
    both = [call_tools(*LOOKUP.calls, *WIPE.calls), say("done")]
    exercises: dict[Shape, Exercise] = {
        "sync": running(lambda agent: told(agent.invoke(ASK))),
        "async": running(lambda agent: told(asyncio.run(agent.ainvoke(ASK)))),
        "stream": running(lambda agent: [piece(chunk) for chunk in agent.stream(ASK)]),
        "astream": running(astreamed),
        "batch": running(
            lambda agent: [told(each) for each in agent.batch([{"input": "lookup"}, {"input": "wipe"}])],
            [as_the_user_says] * 4,
        ),
        "parallel": running(lambda agent: told(asyncio.run(agent.ainvoke(ASK))), both),
        "sub_agent": sub_agent,
        "direct": direct,
    }
    check_adapter("AgentExecutor", exercises)


def iterated(agent: Any) -> None:
    for _ in agent.iter(ASK):
        pass


async def aiterated(agent: Any) -> None:
    async for _ in agent.iter(ASK):
        pass


async def events(agent: Any) -> None:
    async for _ in agent.astream_events(ASK, version="v2"):
        pass


RUNS: dict[str, Callable[[Any], object]] = {
    "iter": iterated,
    "async iter": lambda agent: asyncio.run(aiterated(agent)),
    "call": lambda agent: agent(ASK),
    "events": lambda agent: asyncio.run(events(agent)),
    "with_config": lambda agent: agent.with_config(tags=["a"]).invoke(ASK),
    "a copy": lambda agent: copy.copy(agent).invoke(ASK),
    "a model copy": lambda agent: agent.model_copy().invoke(ASK),
    "a sequence": lambda agent: (agent | (lambda state: state)).invoke(ASK),
}


@pytest.mark.parametrize("how", RUNS)
def test_the_caller_gets_the_refusal_and_the_model_is_not_asked_again(how: str) -> None:
    tools = Tools()
    guard = AgentCop(agent_id="agent", policy=GatePolicy(allow=["lookup"]))
    with model([WIPE, say("done")]) as (llm, url):
        agent = guard.wrap(executor(llm, structured(tools)))
        with pytest.raises(PolicyBlocked) as refused:
            RUNS[how](agent)
    assert (refused.value.tool, tools.ran, len(url.requests)) == ("wipe", [], 1)


def test_a_tool_that_does_not_exist_runs_nothing_and_the_agent_is_told_as_without_us() -> None:
    tools = Tools()
    guard = AgentCop(agent_id="agent", policy=GatePolicy(allow=["lookup"]))
    with model([call_tool("look_up", query="x"), LOOKUP, say("done")]) as (llm, url):
        result = guard.wrap(executor(llm, structured(tools))).invoke(ASK)
    assert (result["output"], tools.ran, guard.counts()) == ("done", ["lookup x"], {"allowed": 1})
    assert "look_up is not a valid tool" in url.requests[1]["messages"][-1]["content"]


def test_what_a_react_agent_cannot_parse_is_handled_as_without_us() -> None:
    tools = Tools()
    guard = AgentCop(agent_id="agent", policy=GatePolicy(allow=["lookup"]))
    with model([say("I do not know the format"), say("Final Answer: done")]) as (llm, _):
        agent = agents.initialize_agent(
            [structured(tools)[0]], llm, agent="zero-shot-react-description", handle_parsing_errors=True
        )
        assert guard.wrap(agent).run("go") == "done"
    assert (tools.ran, guard.counts()) == ([], {})


def test_a_tool_keeps_the_name_in_policies_that_it_had_when_its_agent_was_wrapped() -> None:
    tools = Tools()
    with model([call_tool("lookup", path="y"), say("done")]) as (llm, _):
        wipe = structured(tools)[1]
        agent = AgentCop(agent_id="agent", policy=GatePolicy(allow=["lookup"])).wrap(executor(llm, [wipe]))
        wipe.name = "lookup"
        with pytest.raises(PolicyBlocked) as refused:
            agent.invoke(ASK)
    assert (refused.value.tool, tools.ran) == ("wipe", [])
