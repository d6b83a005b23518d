"""Tools of an MCP server behind the gate: judged as the agent's tools, and once, on their way to the server too."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from agents import Runner
from agents.mcp import MCPServerStdio
from agents.mcp.util import MCPUtil

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from mcp_servers import SERVER
from openai_server import Reply, call_tool, say
from sdk_agents import ASK, agent, model, outputs, wait

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.frameworks
PREFIXES = "include_server_in_tool_names" in MCPUtil.get_all_function_tools.__code__.co_varnames


def cop(**gate: Any) -> AgentCop:
    return AgentCop(agent_id="agent", policy=GatePolicy(**gate))


def asked(folder: Path, guard: AgentCop, *script: Any, **options: Any) -> tuple[Any, list[str]]:
    """The result of a run whose tools are an MCP server's, and what the server did."""
    (folder / "server.py").write_text(SERVER)
    effects = folder / "effects"

    async def inside() -> Any:
        parameters: Any = {"command": sys.executable, "args": [str(folder / "server.py"), str(effects), "stdio"]}
        async with MCPServerStdio(parameters, name="tools", client_session_timeout_seconds=60) as server:
            made = agent(llm, [], mcp_servers=[server], **options)
            return await Runner.run(guard.wrap(made), ASK)

    with model(script) as (llm, _):
        try:
            result = wait(inside())
        finally:
            did[:] = effects.read_text().splitlines() if effects.exists() else []
    return result, did


did: list[str] = []


def decisions(guard: AgentCop) -> list[tuple[str, str]]:
    return [(line["tool"], line["verdict"]) for line in gatefile.lines(guard.gate_log.parent, "decision")]


def test_an_allowed_call_is_judged_once_and_runs(tmp_path: Path) -> None:
    guard = cop(allow=["lookup"])
    result, effects = asked(tmp_path, guard, call_tool("lookup", query="x"), say("done"))
    assert (effects, result.final_output) == (["lookup x"], "done")
    assert "found x" in str(outputs(result))
    assert (decisions(guard), guard.counts()) == ([("lookup", "allow")], {"allowed": 1})


def test_a_blocked_one_does_not_reach_the_server(tmp_path: Path) -> None:
    guard = cop(allow=["lookup"])
    with pytest.raises(PolicyBlocked) as refused:
        asked(tmp_path, guard, call_tool("wipe", path="y"), say("gone"))
    assert (refused.value.tool, did) == ("wipe", [])


def test_a_quiet_refusal_is_the_tools_output(tmp_path: Path) -> None:
    guard = cop(allow=["lookup"], on_block="return_message")
    result, effects = asked(tmp_path, guard, call_tool("wipe", path="y"), say("done"))
    assert (effects, outputs(result)) == ([], ["Blocked by policy (gate.default). Do not retry; tell the user."])


def test_one_key_twice_does_not_reach_the_server(tmp_path: Path) -> None:
    guard = cop(default="allow", on_block="return_message")
    reply = Reply(calls=(("lookup", {}),), raw_arguments='{"query": "ok", "query": "/etc/shadow"}')
    result, effects = asked(tmp_path, guard, reply, say("done"))
    assert effects == []
    assert "gate.arguments" in outputs(result)[0]


def test_a_name_with_its_servers_before_it_is_the_name_in_policies_and_one_call(tmp_path: Path) -> None:
    if not PREFIXES:  # an older SDK has no such names
        assert "mcp_config" in agent(None, []).__dataclass_fields__
        return
    guard = cop(default="allow")
    config: dict[str, Any] = {"mcp_config": {"include_server_in_tool_names": True}}
    names: list[str] = []

    def first(request: dict[str, Any]) -> Reply:
        names.extend(tool["function"]["name"] for tool in request["tools"])
        (name,) = (name for name in names if name.endswith("lookup"))
        return call_tool(name, query="x")

    _, effects = asked(tmp_path, guard, first, say("done"), **config)
    (name,) = (name for name in names if name.endswith("lookup"))
    assert name != "lookup"
    assert (effects, decisions(guard)) == (["lookup x"], [(name, "allow")])
