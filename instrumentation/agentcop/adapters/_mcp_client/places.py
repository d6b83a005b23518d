"""Where MCP's sessions and clients are, and what of them is called."""

from __future__ import annotations

from agentcop.adapters._mcp_client.requests import parser
from agentcop.adapters._places import is_any

SESSION = ("mcp.client.session", "ClientSession")
BASE = ("mcp.shared.session", "BaseSession")
"""Version 2 has the module without the class."""
CLIENT = ("mcp.client.client", "Client")
FAST = ("fastmcp.client.client", "Client")
FAST_TOOLS = ("fastmcp.client.mixins.tools", "ClientToolsMixin")

_CALLED = ("name", "arguments", "read_timeout_seconds", "progress_callback")
_FAST_CALLED = ("name", "arguments", "progress_handler", "timeout", "meta")
METHODS = (
    (SESSION, "call_tool", parser(*_CALLED)),
    (CLIENT, "call_tool", parser(*_CALLED)),
    (FAST_TOOLS, "call_tool_mcp", parser(*_FAST_CALLED)),
)
"""Where tools are called. Version 2's client and fastmcp's make several requests of one call, if the server asks."""


def session_of(client: object) -> object | None:
    """The session of a client that is connected; None for one that is not, and for a session."""
    try:
        session = getattr(client, "session", None)
    except Exception:  # how clients say that they are not connected, or not any more
        return None
    return session if is_any(session, SESSION) else None
