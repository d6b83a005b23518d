"""LangChain tools that stand for a tool of an MCP server, as langchain-mcp-adapters makes them."""

from __future__ import annotations

from types import FunctionType
from typing import Any

_MAKER = ("langchain_mcp_adapters.tools", "convert_mcp_tool_to_langchain_tool.<locals>.call_tool")


def name_at_server(tool: Any) -> str:  # noqa: ANN401 -- the framework is not imported
    """The name by which the server knows it; "" for a tool that is none of its, or no longer bears its name.

    The function that langchain-mcp-adapters gives such a tool holds the server's own description of it and the name
    of the server, which may stand before the tool's: that prefix, and no other.
    """
    body = getattr(tool, "coroutine", None)
    if not isinstance(body, FunctionType) or (body.__module__, body.__qualname__) != _MAKER:
        return ""
    held = dict(zip(body.__code__.co_freevars, body.__closure__ or (), strict=True))
    described = held["tool"].cell_contents.name if "tool" in held else ""
    server = held["server_name"].cell_contents if "server_name" in held else None
    declared = {described, f"{server}_{described}" if server else described}
    return described if tool.name in declared else ""
