"""MCP requests, as OpenTelemetry's conventions, the MCP SDK and fastmcp name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_detectors.normalise.conventions._interface import Convention

if TYPE_CHECKING:
    from agentcop_detectors.normalise.conventions._interface import Words
    from agentcop_detectors.normalise.raw import RawSpan

_SERVER: Final = 2
_CALL: Final = "tools/call"


def is_request(span: RawSpan, words: Words) -> bool:
    """Takes what a span says of MCP, and says so where it is a request on its way rather than a tool call.

    A server's span of `tools/call` is the other end of a call: it is no step of an agent, and becomes `other`.
    """
    method = words.pop("mcp_method", "")
    if not method or "verdict" in words:
        return False
    if method != _CALL or span.side == _SERVER:
        words.pop("operation", None)
        words.pop("span_kind", None)
        return False
    if "tool" not in words:
        words["tool"] = span.name.rpartition(f"{_CALL} ")[2]
    return True


MCP = Convention(
    name="mcp",
    keys={
        "mcp_method": ("mcp.method.name", "mcp.method"),
        "tool": ("mcp.tool.name",),
    },
)
