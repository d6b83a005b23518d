"""Function tools that stand for a tool of an MCP server, as the SDK makes them."""

from __future__ import annotations

from functools import partial
from typing import Any

from agentcop._seams.held import bare

_INVOKE = ("agents.mcp.util", "MCPUtil.invoke_mcp_tool")


def name_at_server(tool: Any) -> str:  # noqa: ANN401 -- the framework is not imported
    """The name by which the server knows it; "" for a tool that is none of its, or no longer bears its name.

    The body that the SDK gives such a tool is bound to the server and its own description of the tool, and to the name
    that the SDK has shown the model: with the server's before it, where the application asks for that.
    """
    invoke = _implementation(bare(getattr(tool, "on_invoke_tool", None)))
    if not isinstance(invoke, partial) or (invoke.func.__module__, invoke.func.__qualname__) != _INVOKE:
        return ""
    _, described = invoke.args
    shown = invoke.keywords.get("tool_display_name", described.name)
    return str(described.name) if tool.name == shown else ""


def _implementation(body: object) -> object:
    """What the SDK calls behind its own handling of errors: it holds it, or closes over it."""
    held = getattr(body, "_invoke_tool_impl", None)
    if held is not None:
        return held
    cells = getattr(body, "__closure__", None) or ()
    return next((cell.cell_contents for cell in cells if isinstance(cell.cell_contents, partial)), body)
