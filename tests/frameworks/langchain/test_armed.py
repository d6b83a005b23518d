"""A LangChain program that does not know of AgentCop, armed by its environment, is judged like any other.

Its spans are at the endpoint that OpenTelemetry's own variable names.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from openai_server import call_tool, call_tools, openai_server, say
from processes import POLICY, Program
from receivers import GrpcReceiver, HttpReceiver, attributes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from openai_server import Scripted

TOOLS = '''
import asyncio
import sys
from pathlib import Path

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


def effect(*words):
    with Path("effects").open("a") as effects:
        print(*words, file=effects)


@tool
def look(what: str) -> str:
    """Look at something."""
    effect("looked at", what)
    return f"{what} is blue"


@tool
def shell(command: str) -> str:
    """Run a command."""
    effect("ran", command)
    return "done"


@tool("shell")
async def shell_async(command: str) -> str:
    """Run a command."""
    effect("ran", command)
    return "done"


way = sys.argv[1]
model = ChatOpenAI(model="scripted", max_retries=0)
tools = [look, shell_async if way == "async" else shell]
'''
GRAPH = """
from langchain.agents import create_agent

agent = create_agent(model, tools)
question = {"messages": [{"role": "user", "content": "what colour is the sky?"}]}
if way == "sync":
    state = agent.invoke(question)
elif way == "async":
    state = asyncio.run(agent.ainvoke(question))
else:
    *_, state = agent.stream(question, stream_mode="values")
print(state["messages"][-1].text)
"""
EXECUTOR = """
from langchain.agents import AgentExecutor, create_tool_calling_agent
from langchain_core.prompts import ChatPromptTemplate

prompt = ChatPromptTemplate([("human", "{input}"), ("placeholder", "{agent_scratchpad}")])
agent = AgentExecutor(agent=create_tool_calling_agent(model, tools, prompt), tools=tools)
question = {"input": "what colour is the sky?"}
if way == "sync":
    state = agent.invoke(question)
elif way == "async":
    state = asyncio.run(agent.ainvoke(question))
else:
    *_, state = agent.stream(question)
print(state["output"])
"""
PROGRAM = TOOLS + (GRAPH if find_spec("langgraph") else EXECUTOR)
WAYS = ("sync", "async", "stream")

pytestmark = pytest.mark.frameworks


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    started = HttpReceiver().start()
    yield started
    started.stop()


@pytest.fixture
def program(tmp_path: Path, receiver: HttpReceiver) -> Program:
    program = Program(
        folder=tmp_path,
        environment={
            "AGENTCOP_ENABLED": "1",
            "AGENTCOP_POLICY": "policy.yaml",
            "AGENTCOP_HOME": "state",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_SERVICE_NAME": "unchanged",
            "OPENAI_API_KEY": "none",
        },
    )
    program.file("policy.yaml", POLICY)
    program.file("agent.py", PROGRAM)
    return program


def run(program: Program, way: str, script: Sequence[Scripted]) -> tuple[int, str, str, str]:
    """Exit code, stdout, stderr, and what the tools have done."""
    with openai_server(script) as url:
        done = program.having(OPENAI_BASE_URL=url).run("agent.py", way)
    effects = program.folder / "effects"
    return done.returncode, done.stdout, done.stderr, effects.read_text() if effects.exists() else ""


def decisions(program: Program) -> list[tuple[str, str]]:
    lines = (program.folder / "state/gate.log").read_text(encoding="utf-8").splitlines()
    parsed: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [(line["tool"], line["verdict"]) for line in parsed if line["kind"] == "decision"]


def named(spans: Sequence[Span], operation: str) -> list[dict[str, str]]:
    found = [attributes_of(span) for span in spans if span.name.split(" ")[0] == operation]
    return [attributes for attributes in found if attributes.get("gen_ai.operation.name") == operation]


@pytest.mark.parametrize("way", WAYS)
def test_an_allowed_call_runs_and_every_step_is_a_span_of_one_trace(
    program: Program, receiver: HttpReceiver, way: str
) -> None:
    code, stdout, stderr, effects = run(program, way, [call_tool("look", what="the sky"), say("blue")])

    assert (code, stdout, effects) == (0, "blue\n", "looked at the sky\n"), stderr
    assert decisions(program) == [("look", "allow")]
    (agent,) = named(receiver.spans, "invoke_agent")
    (tool,) = named(receiver.spans, "execute_tool")
    assert len(named(receiver.spans, "chat")) == 2
    assert agent["gen_ai.agent.name"] == "armed-agent"
    assert (tool["gen_ai.tool.name"], tool["agentcop.verdict"]) == ("look", "allow")
    assert len({span.trace_id for span in receiver.spans}) == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_blocked_call_does_not_run_and_the_program_hears_of_it(
    program: Program, receiver: HttpReceiver, way: str
) -> None:
    code, stdout, stderr, effects = run(program, way, [call_tool("shell", command="rm -rf /")])

    assert (code, stdout, effects) == (1, "", "")
    assert "PolicyBlocked: shell: blocked by gate.block[0]" in stderr
    assert decisions(program) == [("shell", "block")]
    (tool,) = named(receiver.spans, "execute_tool")
    assert (tool["agentcop.verdict"], tool["agentcop.rule"]) == ("block", "gate.block[0]")


@pytest.mark.parametrize("way", WAYS)
def test_of_calls_made_at_once_only_the_allowed_runs(program: Program, way: str) -> None:
    script = [call_tools(("look", {"what": "the sea"}), ("shell", {"command": "rm"}))]
    code, _, stderr, effects = run(program, way, script)

    assert code == 1
    assert "PolicyBlocked" in stderr
    assert "ran rm" not in effects
    assert sorted(decisions(program)) == [("look", "allow"), ("shell", "block")]


@pytest.mark.parametrize("way", WAYS)
def test_a_program_that_is_not_armed_is_not_touched(program: Program, receiver: HttpReceiver, way: str) -> None:
    script = [call_tool("shell", command="rm"), say("gone")]
    code, stdout, _, effects = run(program.having(AGENTCOP_ENABLED="0"), way, script)

    assert (code, stdout, effects) == (0, "gone\n", "ran rm\n")
    assert receiver.spans == []
    assert not (program.folder / "state").exists()


def test_spans_go_over_grpc_where_the_variable_says_so(program: Program) -> None:
    receiver = GrpcReceiver().start()
    try:
        by_grpc = program.having(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{receiver.port}", OTEL_EXPORTER_OTLP_PROTOCOL="grpc"
        )
        code, _, stderr, _ = run(by_grpc, "sync", [call_tool("look", what="it"), say("seen")])
    finally:
        receiver.stop()
    assert code == 0, stderr
    assert len(named(receiver.spans, "execute_tool")) == 1


def test_a_receiver_that_is_down_does_not_harm_the_program(program: Program, receiver: HttpReceiver) -> None:
    receiver.stop()
    code, stdout, _, effects = run(program, "sync", [call_tool("look", what="it"), say("seen")])
    assert (code, stdout, effects) == (0, "seen\n", "looked at it\n")
    assert decisions(program) == [("look", "allow")]
