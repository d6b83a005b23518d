"""Tools that langchain-mcp-adapters makes of a server's: judged as LangChain's, and once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from langchain.agents import create_agent
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from agentcop.adapters import install, installable
from langchain_agents import model
from mcp_servers import Served
from openai_server import call_tool, say
from telemetry import application_provider

if TYPE_CHECKING:
    from pathlib import Path

    from langchain_core.tools import BaseTool

pytestmark = pytest.mark.frameworks


@pytest.fixture(autouse=True)
def _every_session_is_governed() -> None:
    """As in an armed process: here nobody wraps the sessions that the framework opens."""
    adapter = installable("mcp.client.session")
    assert adapter is not None
    install(adapter)


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def cop_of(**lists: Any) -> AgentCop:
    return AgentCop(agent_id="a", policy=GatePolicy(on_block="raise", **lists))


async def remote_tools(served: Served, *, prefix: bool) -> list[BaseTool]:
    """The server's tools, each call of which opens a session of its own."""
    parameters = served.parameters()
    connections: dict[str, Any] = {
        "files": {"transport": "stdio", "command": parameters.command, "args": parameters.args}
    }
    tools: list[BaseTool] = await MultiServerMCPClient(connections, tool_name_prefix=prefix).get_tools()
    return tools


def asked(served: Served, cop: AgentCop, name: str, *, prefix: bool, **arguments: str) -> str:
    async def main() -> str:
        tools = await remote_tools(served, prefix=prefix)
        with model([call_tool(name, **arguments), say("done")]) as (chat, _):
            agent = cop.wrap(create_agent(chat, tools))
            state = await agent.ainvoke({"messages": [("user", "go")]})
        return str(state["messages"][-2].text)

    return asyncio.run(main())


@pytest.mark.parametrize(("prefix", "name"), [(False, "lookup"), (True, "files_lookup")])
def test_a_tool_of_a_server_is_judged_once_under_the_name_that_the_model_knows(
    served: Served, prefix: bool, name: str, agentcop_home: Path
) -> None:
    cop = cop_of(allow=[name])
    with application_provider() as exporter:
        assert asked(served, cop, name, prefix=prefix, query="x") == "found x"
        spans = exporter.get_finished_spans()
    assert served.ran == ["lookup x"]
    assert cop.counts() == {"allowed": 1}
    assert [(line["tool"], line["args"]) for line in gatefile.lines(agentcop_home, "decision")] == [
        (name, {"query": "x"})
    ]
    assert [span.name for span in spans if span.name.startswith("execute_tool")] == [f"execute_tool {name}"]


@pytest.mark.parametrize("prefix", [False, True])
def test_a_blocked_one_does_not_reach_the_server(served: Served, prefix: bool) -> None:
    cop = cop_of(allow=["lookup", "files_lookup"])
    with pytest.raises(PolicyBlocked):
        asked(served, cop, "files_wipe" if prefix else "wipe", prefix=prefix, path="y")
    assert served.ran == []


async def called(tool: Any, **arguments: str) -> None:
    await tool.ainvoke({"name": tool.name, "args": arguments, "id": "1", "type": "tool_call"})


def test_a_renamed_tool_carries_nothing(served: Served) -> None:
    cop = cop_of(allow=["harmless_wipe"])

    async def main() -> None:
        async with served.session("memory") as session:
            tools = {tool.name: tool for tool in await load_mcp_tools(cop.wrap(session))}
            tools["wipe"].name = "harmless_wipe"
            await called(cop.wrap(tools["wipe"]), path="y")

    with pytest.raises(PolicyBlocked):
        asyncio.run(main())
    assert served.ran == []


def test_a_prefix_that_nobody_declared_carries_nothing(served: Served) -> None:
    cop = cop_of(allow=["files_wipe"])

    async def main() -> None:
        async with served.session("memory") as session:
            tools = {tool.name: tool for tool in await load_mcp_tools(cop.wrap(session), server_name="other")}
            tools["wipe"].name = "files_wipe"
            await called(cop.wrap(tools["wipe"]), path="y")

    with pytest.raises(PolicyBlocked):
        asyncio.run(main())
    assert served.ran == []


@pytest.mark.parametrize("change", [{"name": "wipe", "args": {"path": "y"}}, {"args": {"query": "secret"}}])
def test_what_an_interceptor_makes_of_a_call_is_judged(served: Served, change: dict[str, Any]) -> None:
    cop = cop_of(allow=[{"tool": "lookup", "when": 'args.query == "x"'}])

    async def interceptor(request: Any, handler: Any) -> Any:
        return await handler(request.override(**change))

    async def main() -> None:
        async with served.session("memory") as session:
            tools = {
                tool.name: tool for tool in await load_mcp_tools(cop.wrap(session), tool_interceptors=[interceptor])
            }
            await called(cop.wrap(tools["lookup"]), query="x")

    with pytest.raises(PolicyBlocked):
        asyncio.run(main())
    assert served.ran == []
