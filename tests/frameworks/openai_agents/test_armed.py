"""A program of the OpenAI Agents SDK that does not know of AgentCop is armed by its environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from openai_server import call_tool, call_tools, openai_server, say
from processes import POLICY, Program
from receivers import HttpReceiver, attributes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from openai_server import Scripted

PROGRAM = '''
import asyncio
import sys
from pathlib import Path

from agents import Agent, Runner, WebSearchTool, function_tool, set_default_openai_api, set_tracing_disabled

set_tracing_disabled(True)
way = sys.argv[1]
hosted = "hosted" in sys.argv
if not hosted:
    set_default_openai_api("chat_completions")


def effect(*words):
    with Path("effects").open("a") as effects:
        print(*words, file=effects)


@function_tool
def look(what: str) -> str:
    """Look at something."""
    effect("looked at", what)
    return f"{what} is blue"


@function_tool
async def shell(command: str) -> str:
    """Run a command."""
    effect("ran", command)
    return "done"


inner = Agent(name="inner", model="gpt-4", tools=[look, shell])
agent = Agent(name="outer", model="gpt-4", tools=[look, shell] + ([WebSearchTool()] if hosted else []))
agent.tools.append(inner.as_tool("delegate", "Let another do it."))


async def stream():
    result = Runner.run_streamed(agent, "what colour is the sky?")
    async for _ in result.stream_events():
        pass
    return result


if way == "sync":
    result = Runner.run_sync(agent, "what colour is the sky?")
elif way == "async":
    result = asyncio.run(Runner.run(agent, "what colour is the sky?"))
else:
    result = asyncio.run(stream())
print(result.final_output)
'''
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
            "OPENAI_API_KEY": "none",
        },
    )
    program.file("policy.yaml", POLICY)
    program.file("agent.py", PROGRAM)
    return program


def run(program: Program, script: Sequence[Scripted], *words: str) -> tuple[int, str, str, str]:
    """Exit code, stdout, stderr, and what the tools have done."""
    with openai_server(script) as url:
        done = program.having(OPENAI_BASE_URL=url).run("agent.py", *words)
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
    code, stdout, stderr, effects = run(program, [call_tool("look", what="the sky"), say("blue")], way)

    assert (code, stdout, effects) == (0, "blue\n", "looked at the sky\n"), stderr
    assert decisions(program) == [("look", "allow")]
    (agent,) = named(receiver.spans, "invoke_agent")
    (tool,) = named(receiver.spans, "execute_tool")
    assert len(named(receiver.spans, "chat")) == 2
    assert agent["gen_ai.agent.name"] == "armed-agent"
    assert (tool["gen_ai.tool.name"], tool["agentcop.verdict"]) == ("look", "allow")
    assert len({span.trace_id for span in receiver.spans}) == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_blocked_call_does_not_run_and_the_program_hears_of_it(program: Program, way: str) -> None:
    code, stdout, stderr, effects = run(program, [call_tool("shell", command="rm -rf /")], way)

    assert (code, stdout, effects) == (1, "", "")
    assert "PolicyBlocked: shell: blocked by gate.block[0]" in stderr
    assert decisions(program) == [("shell", "block")]


@pytest.mark.parametrize("way", ["stream"])
def test_of_calls_made_at_once_only_the_allowed_runs(program: Program, way: str) -> None:
    script = [call_tools(("look", {"what": "the sea"}), ("shell", {"command": "rm"}))]
    code, _, stderr, effects = run(program, script, way)

    assert code == 1
    assert "PolicyBlocked" in stderr
    assert "ran rm" not in effects
    assert ("shell", "block") in decisions(program)


@pytest.mark.parametrize("way", ["sync"])
def test_a_sub_agent_is_judged_and_its_refusal_reaches_the_program(program: Program, way: str) -> None:
    program.file("policy.yaml", POLICY.replace("[look]", "[look, delegate]"))
    script = [call_tool("delegate", input="go"), call_tool("shell", command="rm"), say("gone"), say("all gone")]
    code, _, stderr, effects = run(program, script, way)

    assert (code, effects) == (1, "")
    assert "PolicyBlocked: shell" in stderr


@pytest.mark.parametrize("way", ["async"])
def test_a_hosted_tool_that_is_not_allowed_ends_the_run_before_anything_is_asked(program: Program, way: str) -> None:
    code, _, stderr, _ = run(program, [], way, "hosted")
    assert code == 1
    assert "PolicyBlocked: web_search" in stderr
    assert decisions(program) == [("web_search", "block")]


@pytest.mark.parametrize("way", ["sync"])
def test_a_program_that_is_not_armed_is_not_touched(program: Program, receiver: HttpReceiver, way: str) -> None:
    script = [call_tool("shell", command="rm"), say("gone")]
    code, stdout, _, effects = run(program.having(AGENTCOP_ENABLED="0"), script, way)

    assert (code, stdout, effects) == (0, "gone\n", "ran rm\n")
    assert receiver.spans == []
    assert not (program.folder / "state").exists()


def test_nothing_is_said_on_stderr_but_that_the_process_is_armed(program: Program) -> None:
    _, _, stderr, _ = run(program, [call_tool("look", what="it"), say("seen")], "async")
    said = [line for line in stderr.splitlines() if line.startswith("agentcop")]
    assert len(said) == 1, said
    assert said[0].startswith("agentcop: armed: ")


def test_an_sdk_whose_seam_is_gone_ends_the_process_at_its_import(program: Program) -> None:
    code = (
        "import importlib.util as util, sys\n"
        "class Without:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name != 'agents.run': return None\n"
        "        sys.meta_path.remove(self)\n"
        "        spec = util.find_spec(name)\n"
        "        run = spec.loader.exec_module\n"
        "        def exec_module(module):\n"
        "            run(module)\n"
        "            del module.AgentRunner\n"
        "        spec.loader.exec_module = exec_module\n"
        "        return spec\n"
        "sys.meta_path.insert(-1, Without())\n"
        "import agents\n"
        "print('ran')\n"
    )
    done = program.run("-c", code)
    assert (done.returncode, done.stdout) == (78, "")
    assert "there is no agents.run.AgentRunner" in done.stderr


def test_a_package_of_ones_own_that_is_called_agents_is_no_framework(program: Program) -> None:
    program.file("agents/__init__.py", "")
    program.file("agents/tool.py", "class Mine:\n    pass\n")
    program.file("agents/run.py", "")
    done = program.run("-c", "import agents.tool, agents.run; print(agents.tool.Mine.__name__)")
    assert (done.returncode, done.stdout) == (0, "Mine\n"), done.stderr
