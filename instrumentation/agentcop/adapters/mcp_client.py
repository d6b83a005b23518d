"""MCP: every tool call that a client of the official library makes, and fastmcp's client on top of it.

There is no agent here: sessions and clients are wrapped, and the tool's name is the one in the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcop.adapters._framework import Framework, at
from agentcop.adapters._interface import CopyTarget, ToolTarget
from agentcop.adapters._mcp_client import check, scopes
from agentcop.adapters._mcp_client.places import BASE, CLIENT, FAST, FAST_TOOLS, METHODS, SESSION, session_of
from agentcop.adapters._mcp_client.requests import parse_request
from agentcop.adapters._mcp_client.words import refuse, result_text
from agentcop.adapters._places import classes, is_imported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentcop.adapters._interface import Canary, ScopeTarget

PLACES = (SESSION, BASE, CLIENT, FAST, FAST_TOOLS)

_JUDGED: dict[str, Any] = {"name": lambda client: type(client).__name__, "said": result_text, "transport": True}


class McpAdapter(Framework):
    """The package `mcp` from 1.23 on, and fastmcp 4. A session or a client stands for all tools of its server."""

    name = "mcp"
    module = "mcp.client.session"
    supported = ">=1.23,<3"
    needs = (SESSION[0],)
    places = (SESSION, CLIENT, FAST, FAST_TOOLS)
    tool_classes = (SESSION, CLIENT, FAST)

    # The methods that call a tool, and the one that all requests go through, where tasks call tools past those. Whoever
    # sends a request himself waits for a result of a class of his own: a refusal is raised.
    tools = (
        *(at([place], [method], ToolTarget, parse=parse, refuse=refuse, **_JUDGED) for place, method, parse in METHODS),
        at([SESSION, BASE], ["send_request"], ToolTarget, if_there=True, parse=parse_request, **_JUDGED),
    )
    # A client opens its session when it is entered; fastmcp's has a method that makes another like it.
    copied = (
        at([CLIENT, FAST], ["__aenter__"], CopyTarget, copy=session_of),
        at([FAST], ["new"], CopyTarget),
    )

    def parts(self, obj: object) -> Iterable[object]:
        """A client's session, while it is connected."""
        return () if (session := session_of(obj)) is None else (session,)

    def scopes(self) -> Iterable[ScopeTarget]:
        """Sessions, clients and transports all live in task groups of anyio's."""
        return scopes.scopes() if is_imported(SESSION[0], self.imported) else ()

    def canaries(self, body: Callable[[], str], guard: Callable[[Any], Any]) -> Iterable[Canary]:  # noqa: ARG002 -- by class
        """A tool of a server in this process, and each way by which a client of this version calls it."""
        from agentcop.adapters._mcp_client.canary import canaries

        official, fast = next(classes(CLIENT), None), next(classes(FAST), None)
        return canaries(body, client=official, fast=fast)

    def check(self) -> None:
        """Every call must be made as is known here."""
        check.check()
