"""The doctor's call of an MCP tool: a real server in this process, and a real client connected to it in memory."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentcop.adapters._interface import CANARY, Canary
from agentcop.adapters._mcp_client.requests import mcp_types

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

_SERVERS = (("mcp.server.mcpserver", "MCPServer"), ("mcp.server.fastmcp", "FastMCP"))
"""Where version 2 of the library and version 1 have their server."""


def canaries(body: Callable[[], str], *, client: type | None, fast: type | None) -> Iterator[Canary]:
    """A call by each method of these client classes, None where the version has none, and of a session."""

    def connected() -> Any:  # noqa: ANN401 -- of a package that may not be here
        if client is not None:
            return client(_server(body))
        return import_module("mcp.shared.memory").create_connected_server_and_client_session(_server(body))

    def fastly() -> Any:  # noqa: ANN401 -- as above
        return fast(_with_tool(import_module("fastmcp").FastMCP("doctor"), body))  # type: ignore[misc]  # asked below

    if client is not None:
        yield _canary("Client.call_tool", connected, lambda each: each.call_tool(CANARY, {}))
    yield _canary("ClientSession.call_tool", connected, lambda each: _session(each).call_tool(CANARY, {}))
    yield _canary("ClientSession.send_request", connected, lambda each: _request(_session(each)))
    if fast is not None:
        yield _canary("fastmcp.Client.call_tool", fastly, lambda each: each.call_tool(CANARY, {}))


def _canary(way: str, connected: Callable[[], Any], ask: Callable[[Any], Awaitable[object]]) -> Canary:
    async def asked() -> None:
        async with connected() as client:
            await ask(client)

    return Canary(way=way, call=lambda: asyncio.run(asked()))


def _server(body: Callable[[], str]) -> Any:  # noqa: ANN401 -- as above
    for module, name in _SERVERS:
        try:
            return _with_tool(getattr(import_module(module), name)("doctor"), body)
        except ImportError:
            continue
    raise ImportError("the installed mcp has no server to call")


def _with_tool(server: Any, body: Callable[[], str]) -> Any:  # noqa: ANN401 -- as above
    @server.tool(name=CANARY)  # type: ignore[untyped-decorator]  # the library's
    def canary() -> str:
        return body()

    return server


def _session(client: Any) -> Any:  # noqa: ANN401 -- as above
    return getattr(client, "session", client)


def _request(session: Any) -> Awaitable[object]:  # noqa: ANN401 -- as above
    """The request itself, past the method that makes it."""
    types = mcp_types()
    params = types.CallToolRequestParams(name=CANARY, arguments={})
    request = types.CallToolRequest(method="tools/call", params=params)
    if hasattr(types.ClientRequest, "model_fields"):  # version 1 has a class around every request
        request = types.ClientRequest(request)
    answer: Awaitable[object] = session.send_request(request, types.CallToolResult)
    return answer
