"""Agents whose tools run in boxes: the body never runs here, and the model reads what the box answered."""

from __future__ import annotations

import asyncio
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from langchain_community.tools import DuckDuckGoSearchRun
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import StructuredTool

from agentcop import AgentCop, GatePolicy
from agentcop.adapters._langchain.boxed import ship_arun, ship_run
from agentcop_processor.sandbox.parcel import NotShippable
from langchain_agents import LOOKUP, model
from openai_server import call_tools, say
from tool_boxes import ANSWERS, BOXED, RAN, boxes

__all__ = ["boxes"]

pytestmark = pytest.mark.frameworks
agents = import_module("langchain_classic.agents" if find_spec("langchain_classic") else "langchain.agents")


def lookup(query: str) -> str:
    """Look it up."""
    RAN.append(query)
    return query


async def lookup_later(query: str) -> str:
    """Look it up."""
    RAN.append(query)
    return query


def executor(llm: Any, made: Any) -> Any:
    prompt = ChatPromptTemplate.from_messages([("user", "{input}"), ("placeholder", "{agent_scratchpad}")])
    return agents.AgentExecutor(agent=agents.create_tool_calling_agent(llm, [made], prompt), tools=[made])


def ended(agent: Any, *, awaited: bool) -> Any:
    ask = {"input": "go"}
    result = asyncio.run(agent.ainvoke(ask)) if awaited else agent.invoke(ask)
    return result["output"]


@pytest.mark.parametrize("awaited", [False, True], ids=["invoke", "ainvoke"])
@pytest.mark.parametrize("coroutine", [None, lookup_later], ids=["function", "coroutine"])
def test_an_executors_model_reads_what_the_box_answered(coroutine: Any, awaited: bool) -> None:
    guard = AgentCop(agent_id="agent", policy=GatePolicy(default="allow"))
    ANSWERS.append("from the box")
    with model([LOOKUP, say("done")]) as (llm, server):
        made = StructuredTool.from_function(lookup, coroutine=coroutine, name="lookup")
        assert ended(guard.wrap(executor(llm, made)), awaited=awaited) == "done"
        told = [each["content"] for each in server.requests[-1]["messages"] if each["role"] == "tool"]
    assert told == ["from the box"]
    assert (RAN, BOXED) == ([], [((), {"query": "x"})])


def test_the_guides_search_tool_is_made_again_from_its_class() -> None:
    for ship in (ship_run, ship_arun):
        parcel = ship(DuckDuckGoSearchRun())
        assert parcel.module.startswith("langchain_community.")
        assert (parcel.name, parcel.init, parcel.mounts) == ("DuckDuckGoSearchRun", {}, ())
        assert parcel.method == "_run"


def test_calls_side_by_side_each_have_their_own_box() -> None:
    guard = AgentCop(agent_id="agent", policy=GatePolicy(default="allow"))
    ANSWERS.extend(["second", "first"])
    with model([call_tools(*LOOKUP.calls, *LOOKUP.calls), say("done")]) as (llm, server):
        made = StructuredTool.from_function(lookup, name="lookup")
        assert ended(guard.wrap(executor(llm, made)), awaited=False) == "done"
        told = {each["content"] for each in server.requests[-1]["messages"] if each["role"] == "tool"}
    assert told == {"first", "second"}
    assert RAN == []


def test_an_agent_that_is_a_tool_stays_here_with_the_way_out() -> None:
    with model([]) as (llm, _):
        inner = executor(llm, StructuredTool.from_function(lookup, name="lookup"))
        made = inner.as_tool(name="inner", description="d", arg_types={"input": str})
        with pytest.raises(NotShippable, match=r"inner cannot run in a box: .*Way out: "):
            ship_run(made)
