"""A model that a run asks: its span with what it cost, and the run, tool and model spans in one trace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from agentcop import AgentCop, GatePolicy
from agentcop.testing import Tools
from langchain_agents import LOOKUP, model, structured
from openai_server import Reply, say
from telemetry import application_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.frameworks
LOOP = asyncio.new_event_loop()
"""OpenAI's asynchronous client keeps its connection, and belongs to one loop."""

ASK = [SystemMessage("Be brief."), HumanMessage("go")]


@pytest.fixture(scope="module", autouse=True)
def _closing() -> Iterator[None]:
    yield
    LOOP.close()


class Loop:
    """The smallest agent: a model, its tools, and a loop."""

    def __init__(self, llm: Any, tools: list[Any], ask: Callable[[Any, Any], Any]) -> None:
        self.llm = llm.bind_tools(tools)
        self.tools = {each.name: each for each in tools}
        self.box = tools
        self.ask = ask

    def run(self) -> str:
        messages: list[Any] = list(ASK)
        while True:
            answer = self.ask(self.llm, messages)
            messages.append(answer)
            if not answer.tool_calls:
                return str(answer.content)
            messages.extend(self.tools[call["name"]].invoke(call) for call in answer.tool_calls)


def whole(chunks: list[Any]) -> Any:
    merged = chunks[0]
    for chunk in chunks[1:]:
        merged += chunk
    return merged


async def astreamed(llm: Any, messages: Any) -> Any:
    return whole([chunk async for chunk in llm.astream(messages)])


WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda llm, messages: llm.invoke(messages),
    "ainvoke": lambda llm, messages: LOOP.run_until_complete(llm.ainvoke(messages)),
    "stream": lambda llm, messages: whole(list(llm.stream(messages))),
    "astream": lambda llm, messages: LOOP.run_until_complete(astreamed(llm, messages)),
}


@pytest.mark.parametrize("how", WAYS)
def test_each_question_is_one_span_with_tokens_under_the_run(how: str) -> None:
    script = [LOOKUP, Reply(text="done", prompt_tokens=20, completion_tokens=3)]
    with application_provider() as exporter, model(script, stream_usage=True) as (llm, _):
        guard = AgentCop(agent_id="agent", policy=GatePolicy(allow=["lookup"]))
        assert guard.wrap(Loop(llm, structured(Tools())[:1], WAYS[how])).run() == "done"
        spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["chat gpt-4", "execute_tool lookup", "chat gpt-4", "invoke_agent agent"]
    run = spans[-1]
    assert {span.parent.span_id for span in spans[:-1] if span.parent} == {run.context.span_id}
    asked = [dict(span.attributes or {}) for span in spans if span.name.startswith("chat")]
    assert [
        (
            each["gen_ai.operation.name"],
            each["gen_ai.provider.name"],
            each["gen_ai.request.model"],
            each["gen_ai.response.model"],
            each["gen_ai.response.finish_reasons"],
            each["gen_ai.usage.input_tokens"],
            each["gen_ai.usage.output_tokens"],
        )
        for each in asked
    ] == [
        ("chat", "openai", "gpt-4", "gpt-4", ("tool_calls",), 11, 7),
        ("chat", "openai", "gpt-4", "gpt-4", ("stop",), 20, 3),
    ]


def test_a_model_outside_any_run_has_no_span_and_is_not_looked_at() -> None:
    with application_provider() as exporter, model([say("hello")]) as (llm, _):
        AgentCop(agent_id="agent", policy=GatePolicy(allow=["lookup"])).wrap(structured(Tools()))
        assert llm.invoke(ASK).content == "hello"
        assert exporter.get_finished_spans() == ()


def test_a_session_remembers_what_was_said_once() -> None:
    with model([LOOKUP, say("done")]) as (llm, _):
        guard = AgentCop(agent_id="agent", policy=GatePolicy(allow=["lookup"]))
        agent = guard.wrap(Loop(llm, structured(Tools())[:1], WAYS["invoke"]))
        with guard.session("s") as session:
            agent.run()
    assert [(each.kind, each.text, each.tool) for each in session.observed()] == [
        ("system", "Be brief.", ""),
        ("tool_result", "found x", "lookup"),
        ("assistant", "done", ""),
        ("assistant", "done", ""),
    ]


def test_an_error_of_the_model_reaches_the_caller_and_its_span() -> None:
    with application_provider() as exporter, model([]) as (llm, _):
        guard = AgentCop(agent_id="agent", policy=GatePolicy(allow=["lookup"]))
        with pytest.raises(Exception, match="no reply to request"):
            guard.wrap(Loop(llm, structured(Tools())[:1], WAYS["invoke"])).run()
        (asked, run) = exporter.get_finished_spans()
    assert asked.name == "chat gpt-4"
    assert str((asked.attributes or {})["error.type"]).endswith("RequestError")
    assert run.name == "invoke_agent agent"
