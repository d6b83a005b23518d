"""Whether MCP's sessions and clients still are called as the adapter knows it."""

from __future__ import annotations

import inspect
import sys

from agentcop.adapters._mcp_client.places import METHODS, SESSION
from agentcop.adapters._places import classes
from agentcop_core.errors import NotArmed


def check() -> None:
    """Every method must take a tool's name and arguments, and every request be of the known types. Raises NotArmed."""
    for place, attribute, _ in METHODS:
        for owner in classes(place):
            _check(owner, attribute, {"name", "arguments"})
    for session in classes(SESSION):
        _check(session, "send_request", {"request"})
        types = getattr(sys.modules[SESSION[0]], "types", None)
        if missing := [each for each in ("CallToolRequestParams", "CallToolResult") if not hasattr(types, each)]:
            raise NotArmed(f"{SESSION[0]} has no types.{' and no types.'.join(missing)} any more")


def _check(owner: type, attribute: str, parameters: set[str]) -> None:
    method = getattr(owner, attribute, None)
    if not inspect.iscoroutinefunction(method):
        raise NotArmed(f"{owner.__qualname__}.{attribute} is no coroutine method any more: nobody would see tool calls")
    if missing := parameters - inspect.signature(method).parameters.keys():
        raise NotArmed(f"{owner.__qualname__}.{attribute} takes no {', '.join(sorted(missing))} any more")
