"""The clients of version 2 and of fastmcp: one verdict for a call, however many requests their servers make of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import fastmcp
import pytest
from fastmcp.exceptions import ToolError
from mcp.client import Client
from mcp.server.mcpserver import Context, MCPServer
from mcp.types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from mcp_servers import Served, is_error, text_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.frameworks

REFUSED = "Blocked by policy (gate.block[0]). Do not retry; tell the user."
CLIENTS = (Client, fastmcp.Client)


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def cop_of(on_block: Any = "return_message") -> AgentCop:
    policy = GatePolicy(allow=["lookup", "told", "book"], block=["wipe"], on_block=on_block)
    return AgentCop(agent_id="a", policy=policy)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("when", ["before it connects", "while it is connected"])
def test_a_wrapped_client_is_governed_and_so_is_its_session(
    served: Served, client: type, when: str, agentcop_home: Path
) -> None:
    cop = cop_of()

    async def main() -> list[Any]:
        with served.over_http() as url:
            made = client(url)
            if when == "before it connects":
                assert cop.wrap(made) is made
            async with made:
                cop.wrap(made)
                if client is fastmcp.Client:
                    with pytest.raises(ToolError, match="Blocked by policy"):
                        await made.call_tool("wipe", {"path": "y"})
                    found, refused = (
                        await made.call_tool("lookup", {"query": "x"}),
                        await made.call_tool("wipe", {"path": "y"}, raise_on_error=False),
                    )
                else:
                    found, refused = (
                        await made.call_tool("lookup", {"query": "x"}),
                        await made.call_tool("wipe", {"path": "y"}),
                    )
                return [found, refused, await made.session.call_tool("wipe", {"path": "z"})]

    found, refused, past = asyncio.run(main())
    assert text_of(found) == "found x"
    assert (text_of(refused), is_error(refused)) == (REFUSED, True)
    assert (text_of(past), is_error(past)) == (REFUSED, True)
    assert served.ran == ["lookup x"]
    assert cop.counts()["allowed"] == 1
    assert len(gatefile.lines(agentcop_home, "outcome")) == 1


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_that_connects_again_is_still_governed_with_its_new_session(served: Served, client: type) -> None:
    cop = cop_of("raise")

    async def main() -> None:
        with served.over_http() as url:
            made = cop.wrap(client(url))
            for _ in range(2):
                if client is Client:  # which connects only once
                    made = cop.wrap(client(url))
                async with made:
                    with pytest.raises(PolicyBlocked):
                        await made.session.call_tool("wipe", {"path": "y"})
                    with pytest.raises(PolicyBlocked):
                        await made.call_tool("wipe", {"path": "y"})

    asyncio.run(main())
    assert served.ran == []
    assert cop.counts() == {"blocked": 4}


def test_what_fastmcps_client_makes_like_itself_is_governed(served: Served) -> None:
    cop = cop_of("raise")

    async def main() -> None:
        with served.over_http() as url:
            async with cop.wrap(fastmcp.Client(url)).new() as another:
                with pytest.raises(PolicyBlocked):
                    await another.call_tool("wipe", {"path": "y"})

    asyncio.run(main())
    assert served.ran == []


def test_a_server_that_asks_back_is_one_call_with_one_verdict(agentcop_home: Path) -> None:
    booked: list[Any] = []
    server = MCPServer("booking")

    @server.tool()
    async def book(seat: str, context: Context) -> Any:
        answers = context.input_responses or {}
        if "sure" not in answers:
            form = ElicitRequestFormParams(
                message="sure?", requested_schema={"type": "object", "properties": {"yes": {"type": "boolean"}}}
            )
            return InputRequiredResult(input_requests={"sure": ElicitRequest(params=form)})
        booked.append((seat, answers["sure"].content))
        return f"booked {seat}"

    async def sure(context: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={"yes": True})

    cop = cop_of()

    async def main() -> Any:
        async with Client(server, elicitation_callback=sure) as client:
            return await cop.wrap(client).call_tool("book", {"seat": "1a"})

    result = asyncio.run(main())
    assert text_of(result) == "booked 1a"
    assert booked == [("1a", {"yes": True})]
    assert cop.counts() == {"allowed": 1}
    assert len(gatefile.lines(agentcop_home, "decision")) == 1


def test_fastmcps_own_server_in_this_process_is_reached_only_by_allowed_calls(agentcop_home: Path) -> None:
    ran: list[str] = []
    server: Any = fastmcp.FastMCP("files")

    @server.tool
    def lookup(query: str) -> str:
        ran.append(query)
        return f"found {query}"

    @server.tool
    def wipe(path: str) -> str:
        ran.append(path)
        return path

    cop = cop_of()

    async def main() -> list[Any]:
        async with cop.wrap(fastmcp.Client(server)) as client:
            return [
                await client.call_tool("lookup", {"query": "x"}),
                await client.call_tool("wipe", {"path": "y"}, raise_on_error=False),
            ]

    found, refused = asyncio.run(main())
    assert found.data == "found x"
    assert text_of(refused) == REFUSED
    assert ran == ["x"]
    assert cop.counts() == {"allowed": 1, "blocked": 1}
    shown = [line["args"] for line in gatefile.lines(agentcop_home, "decision")]
    assert shown == [{"query": "x"}, {"path": "y"}], "the trace that fastmcp adds is no argument"
