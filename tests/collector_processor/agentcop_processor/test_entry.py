"""An agent's run: its span, its session, its context, its end."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from agentcop_core.session import Session
from telemetry import application_provider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan


def search(query: str) -> str:
    return query


class Agent:
    def __init__(self) -> None:
        self.tools = [search]

    def run(self, question: str) -> str:
        return self.tools[0](question)

    async def arun(self, question: str) -> str:
        await asyncio.sleep(0)
        return self.tools[0](question)

    def stream(self, question: str) -> Iterator[str]:
        yield self.tools[0](question)
        yield self.tools[0](question)

    async def astream(self, question: str) -> AsyncIterator[str]:
        yield self.tools[0](question)

    def invoke(self, question: str) -> str:
        return self.run(question)


def wrapped(**gate: Any) -> Agent:
    return AgentCop(agent_id="helper", policy=GatePolicy(**(gate or {"allow": ["search"]}))).wrap(Agent())


def attribute(span: ReadableSpan, name: str) -> object:
    return (span.attributes or {}).get(name)


def test_tool_spans_hang_under_the_run_and_share_its_session(agentcop_home: Path) -> None:
    with application_provider() as exporter:
        wrapped().run("x")
        tool, agent = exporter.get_finished_spans()
    assert (agent.name, tool.name) == ("invoke_agent helper", "execute_tool search")
    assert tool.parent is not None
    assert agent.context is not None
    assert tool.parent.span_id == agent.context.span_id
    assert attribute(agent, "gen_ai.conversation.id") == attribute(tool, "agentcop.session.id")
    (decision,) = gatefile.lines(agentcop_home, "decision")
    assert decision["run"] == trace.format_trace_id(agent.context.trace_id)


def test_a_nested_entry_of_the_same_agent_joins_the_run() -> None:
    with application_provider() as exporter:
        wrapped().invoke("x")
        names = [span.name for span in exporter.get_finished_spans()]
    assert names == ["execute_tool search", "invoke_agent helper"]


def test_each_run_is_a_conversation_of_its_own_unless_one_is_named(agentcop_home: Path) -> None:
    cop = AgentCop(agent_id="helper", policy=GatePolicy(allow=["search"]))
    agent = cop.wrap(Agent())
    agent.run("1")
    agent.run("2")
    with cop.session(id="c"):
        agent.run("3")
        agent.run("4")
    first, second, third, fourth = [line["session"] for line in gatefile.lines(agentcop_home, "decision")]
    assert len({first, second, "c"}) == 3
    assert (third, fourth) == ("c", "c")


@pytest.mark.parametrize("entry", ["run", "arun", "stream", "astream", "invoke"])
def test_every_entry_raises_when_its_run_was_blocked(entry: str) -> None:
    agent = wrapped(allow=["nothing"])

    async def drain() -> None:
        result = getattr(agent, entry)("x")
        if hasattr(result, "__aiter__"):
            async for _ in result:
                pass
        elif hasattr(result, "__await__"):
            await result
        else:
            list(result)

    with pytest.raises(PolicyBlocked):
        asyncio.run(drain())
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_between_two_items_of_a_stream_the_caller_is_in_no_run(agentcop_home: Path) -> None:
    cop = AgentCop(agent_id="helper", policy=GatePolicy(allow=["search"]))
    agent = cop.wrap(Agent())
    alone = cop.tool(search)
    for _ in agent.stream("x"):
        alone("between")
    sessions = [line["session"] for line in gatefile.lines(agentcop_home, "decision")]
    assert sessions[0] == sessions[2] != sessions[1] == sessions[3]


def test_what_was_said_is_with_the_session_for_signals_to_read() -> None:
    cop = AgentCop(agent_id="helper", policy=GatePolicy(allow=["search"]))
    agent = cop.wrap(Agent())
    with cop.session(id="c") as session:
        agent.run("find it")
    assert [(seen.kind, seen.text) for seen in session.observed()] == [
        ("user", "find it"),
        ("tool_result", "find it"),
        ("assistant", "find it"),
    ]


def test_gate_spans_reach_the_spool_with_redacted_content(agentcop_home: Path) -> None:
    cop = AgentCop(agent_id="helper", policy=GatePolicy(allow=["search"]))
    cop.wrap(Agent()).run("password=hunter2-canary")
    cop.flush()
    files = [path for path in (agentcop_home / "spool").glob("**/*") if path.is_file()]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    assert "execute_tool search" in text
    assert "invoke_agent helper" in text
    assert "gen_ai.tool.call.arguments" in text
    assert "hunter2-canary" not in text
    for line in text.splitlines():
        json.loads(line)


def test_without_monitoring_nothing_is_spooled(agentcop_home: Path) -> None:
    cop = AgentCop(agent_id="helper", policy=GatePolicy(allow=["search"]), monitor=False)
    cop.wrap(Agent()).run("x")
    cop.flush()
    assert not any((agentcop_home / "spool").glob("**/*.jsonl"))
    assert len(gatefile.lines(agentcop_home, "decision")) == 1


def test_an_error_of_the_agents_own_comes_out_as_it_is() -> None:
    class Failing(Agent):
        def run(self, question: str) -> str:
            raise LookupError(question)

    agent = AgentCop(agent_id="helper", policy=GatePolicy(allow=["search"])).wrap(Failing())
    with pytest.raises(LookupError, match="x"):
        agent.run("x")


def sessions_alive() -> int:
    gc.collect()
    return sum(type(thing) is Session for thing in gc.get_objects())


def test_a_run_that_nobody_named_leaves_nothing_behind_in_memory() -> None:
    cop = AgentCop(agent_id="helper", policy=GatePolicy(allow=["search"]))
    agent = cop.wrap(Agent())
    agent.run("x")
    before = sessions_alive()
    for _ in range(3):
        agent.run("x")
        with cop.session(user="ann"):
            agent.run("y")
    assert sessions_alive() == before
