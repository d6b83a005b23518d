"""`create_agent`, whose `ToolNode` calls tools of any kind: bodies run in boxes, the rest of the graph here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import InjectedToolCallId, StructuredTool, ToolException, create_retriever_tool
from langgraph.prebuilt import InjectedState

from agentcop import AgentCop, GatePolicy
from agentcop.adapters._langchain.boxed import ship_run
from agentcop_processor.sandbox.parcel import NotShippable
from langchain_agents import LOOKUP, model
from openai_server import call_tools, say
from tool_boxes import ANSWERS, BOXED, RAN, boxes

if TYPE_CHECKING:
    from langchain_core.documents import Document

__all__ = ["boxes"]

pytestmark = pytest.mark.frameworks
ASK = {"messages": [{"role": "user", "content": "go"}]}


def lookup(query: str) -> str:
    """Look it up."""
    RAN.append(query)
    return query


def with_id(
    query: str, called: Annotated[str, InjectedToolCallId], state: Annotated[dict[str, Any], InjectedState]
) -> str:
    """Look it up."""
    RAN.append(query)
    return query


def messages(made: Any, *script: Any, awaited: bool = False) -> list[Any]:
    guard = AgentCop(agent_id="agent", policy=GatePolicy(default="allow"))
    with model([*(script or (LOOKUP,)), say("done")]) as (llm, _):
        agent = guard.wrap(create_agent(llm, [made]))
        state = asyncio.run(agent.ainvoke(ASK)) if awaited else agent.invoke(ASK)
    return [each for each in state["messages"] if each.type == "tool"]


@pytest.mark.parametrize("awaited", [False, True], ids=["invoke", "ainvoke"])
def test_a_tool_node_calls_the_box(awaited: bool) -> None:
    ANSWERS.append("from the box")
    (message,) = messages(StructuredTool.from_function(lookup, name="lookup"), awaited=awaited)
    assert (message.content, message.name, message.status) == ("from the box", "lookup", "success")
    assert (RAN, BOXED) == ([], [((), {"query": "x"})])


def test_several_calls_at_once_each_have_their_own_box() -> None:
    ANSWERS.extend(["second", "first"])
    twice = call_tools(*LOOKUP.calls, *LOOKUP.calls)
    found = messages(StructuredTool.from_function(lookup, name="lookup"), twice)
    assert {each.content for each in found} == {"first", "second"}
    assert RAN == []


def test_an_error_from_the_box_is_handled_as_one_of_the_tool() -> None:
    ANSWERS.append(ToolException("no rows"))
    (message,) = messages(StructuredTool.from_function(lookup, name="lookup", handle_tool_error=True))
    assert (message.content, message.status) == ("no rows", "error")


def test_what_the_application_injects_goes_to_the_box_as_it_would_to_the_body() -> None:
    ANSWERS.append("from the box")
    (message,) = messages(StructuredTool.from_function(with_id, name="lookup"))
    ((args, kwargs),) = BOXED
    assert (args, kwargs.keys()) == ((), {"query", "called", "state"})
    assert kwargs["called"] == message.tool_call_id


def test_a_retriever_stays_here_with_the_way_out() -> None:
    class Retriever(BaseRetriever):
        def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
            return []

    with pytest.raises(
        NotShippable, match=r"docs cannot run in a box: LangChain made it of an agent.*Way out: leave it"
    ):
        ship_run(create_retriever_tool(Retriever(), "docs", "Search."))
