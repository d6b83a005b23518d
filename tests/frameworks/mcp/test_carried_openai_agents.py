"""Tools that the OpenAI Agents SDK makes of a server's: judged as the SDK's, and once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from agents import Agent, Runner, set_tracing_disabled
from agents.mcp import MCPServerStdio, MCPUtil
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from openai import AsyncOpenAI

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from agentcop.adapters import install, installable
from mcp_servers import Served
from openai_server import call_tool, openai_server, say
from telemetry import application_provider

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.frameworks
HAS_PREFIXES = "include_server_in_tool_names" in MCPUtil.get_all_function_tools.__code__.co_varnames

set_tracing_disabled(True)


@pytest.fixture(autouse=True)
def _every_session_is_governed() -> None:
    """As in an armed process: here nobody wraps the sessions that the framework opens."""
    adapter = installable("mcp.client.session")
    assert adapter is not None
    install(adapter)


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def cop_of(*allow: Any) -> AgentCop:
    return AgentCop(agent_id="a", policy=GatePolicy(allow=list(allow), on_block="raise"))


def asked(
    served: Served, cop: AgentCop, name: str, *, prefix: bool = False, renamed: str = "", **arguments: str
) -> str:
    """What the agent says whose model asks for this tool."""

    async def main() -> str:
        parameters = served.parameters()
        started: Any = {"command": parameters.command, "args": parameters.args}
        # Half a minute, for a machine that is busy.
        with openai_server([call_tool(renamed or name, **arguments), say("done")]) as url:
            async with (
                MCPServerStdio(name="files", params=started, client_session_timeout_seconds=30) as server,
                AsyncOpenAI(base_url=url, api_key="none") as client,
            ):
                model = OpenAIChatCompletionsModel("scripted", client)
                config: Any = {"include_server_in_tool_names": True} if prefix else {}
                agent = Agent(name="a", model=model, mcp_servers=[server], mcp_config=config)
                if renamed:
                    (listed,) = (tool for tool in await server.list_tools() if tool.name == name)
                    tool = MCPUtil.to_function_tool(listed, server, convert_schemas_to_strict=False)
                    tool.name = renamed
                    agent = Agent(name="a", model=model, tools=[tool])
                result = await Runner.run(cop.wrap(agent), "go")
        return str(result.final_output)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("prefix", "name"), [(False, "lookup"), (True, "mcp_files__lookup")] if HAS_PREFIXES else [(False, "lookup")]
)
def test_a_tool_of_a_server_is_judged_once_under_the_name_that_the_model_knows(
    served: Served, prefix: bool, name: str, agentcop_home: Path
) -> None:
    cop = cop_of(name)
    with application_provider() as exporter:
        assert asked(served, cop, name, prefix=prefix, query="x") == "done"
        spans = exporter.get_finished_spans()
    assert served.ran == ["lookup x"]
    assert cop.counts() == {"allowed": 1}
    assert [(line["tool"], line["args"]) for line in gatefile.lines(agentcop_home, "decision")] == [
        (name, {"query": "x"})
    ]
    assert [span.name for span in spans if span.name.startswith("execute_tool")] == [f"execute_tool {name}"]


@pytest.mark.parametrize(
    ("prefix", "name"), [(False, "wipe"), (True, "mcp_files__wipe")] if HAS_PREFIXES else [(False, "wipe")]
)
def test_a_blocked_one_does_not_reach_the_server(served: Served, prefix: bool, name: str) -> None:
    with pytest.raises(PolicyBlocked):
        asked(served, cop_of("lookup"), name, prefix=prefix, path="y")
    assert served.ran == []


def test_a_renamed_tool_carries_nothing(served: Served) -> None:
    with pytest.raises(PolicyBlocked):
        asked(served, cop_of("harmless"), "wipe", renamed="harmless", path="y")
    assert served.ran == []
