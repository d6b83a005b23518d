"""MCP: every tool call that a client of the official library makes, and fastmcp's client on top of it.

There is no agent here: sessions and clients are wrapped, and the tool's name is the one in the call.
"""

from __future__ import annotations

import inspect
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentcop.adapters._interface import CopyTarget, ScopeTarget, ToolTarget
from agentcop.adapters._mcp_requests import parse_request, parser
from agentcop.adapters._mcp_words import refuse, result_text
from agentcop.adapters._places import classes, is_any, is_imported
from agentcop_core.errors import NotArmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentcop._registry import Role
    from agentcop.adapters._interface import Canary, EntryTarget, HandoverTarget, ModelTarget

_SESSION = ("mcp.client.session", "ClientSession")
_BASE = ("mcp.shared.session", "BaseSession")
_CLIENT = ("mcp.client.client", "Client")
_FAST = ("fastmcp.client.client", "Client")
_FAST_TOOLS = ("fastmcp.client.mixins.tools", "ClientToolsMixin")
PLACES = (_SESSION, _BASE, _CLIENT, _FAST, _FAST_TOOLS)
"""Module and name of every class that is patched; the registry waits for each module's import."""
_BACKENDS = (("anyio._backends._asyncio", "asyncio"), ("anyio._backends._trio", "trio"))
"""Where anyio has its task groups, and the framework that each is for."""
_CALLED = ("name", "arguments", "read_timeout_seconds", "progress_callback")
_FAST_CALLED = ("name", "arguments", "progress_handler", "timeout", "meta")
_METHODS = (
    (_SESSION, "call_tool", parser(*_CALLED)),
    (_CLIENT, "call_tool", parser(*_CALLED)),
    (_FAST_TOOLS, "call_tool_mcp", parser(*_FAST_CALLED)),
)
"""Where tools are called. Version 2's client and fastmcp's make several requests of one call, if the server asks."""


class McpAdapter:
    """The package `mcp` from 1.23 on, and fastmcp 4."""

    name = "mcp"
    module = "mcp.client.session"
    supported = ">=1.23,<3"
    needs = (_SESSION[0],)

    def __init__(self, imported: str = "") -> None:
        """`imported`: the module whose import has just run, if that is why this is made."""
        self._imported = imported

    def recognises(self, obj: object) -> Role | None:
        """A session or a client stands for all tools of its server."""
        return "tool" if is_any(obj, _SESSION, _CLIENT, _FAST) else None

    def inside(self, obj: object) -> object:
        """Itself: nothing wraps a session."""
        return obj

    def parts(self, obj: object) -> Iterable[object]:
        """A client's session, while it is connected."""
        return () if (session := _session_of(obj)) is None else (session,)

    def targets(self, tool: object) -> Iterable[ToolTarget]:  # noqa: ARG002 -- the same for every session
        """The methods that call a tool, and the one that all requests go through, where tasks call tools past those."""
        for place, attribute, parse in _METHODS:
            for owner in classes(place):
                yield _target(owner, attribute, parse, refuse)
        for owner in classes(_SESSION, _BASE):
            if "send_request" in vars(owner):
                # Whoever sends a request himself waits for a result of a class of his own: a refusal is raised.
                yield _target(owner, "send_request", parse_request, None)

    def handovers(self) -> Iterable[HandoverTarget]:
        """The methods are called with what was judged."""
        return ()

    def entry_targets(self, agent: object) -> Iterable[EntryTarget]:  # noqa: ARG002 -- as the interface has it
        """There is no agent."""
        return ()

    def model_targets(self) -> Iterable[ModelTarget]:
        """There is no model: what a server samples is asked by the application."""
        return ()

    def copies(self) -> Iterable[CopyTarget]:
        """A client opens its session when it is entered; fastmcp's has a method that makes another like it."""
        for owner in classes(_CLIENT, _FAST):
            yield CopyTarget(owner=owner, attribute="__aenter__", copy=_session_of)
        for owner in classes(_FAST):
            yield CopyTarget(owner=owner, attribute="new")

    def scopes(self) -> Iterable[ScopeTarget]:
        """Sessions, clients and transports all live in task groups of anyio's."""
        if not is_imported(_SESSION[0], self._imported):
            return
        for backend, framework in _BACKENDS:
            # anyio imports its backend when it first runs something, which is after this.
            if framework in sys.modules:
                with suppress(ImportError):  # then refusals come in groups, as all errors do there
                    import_module(backend)
            for owner in classes((backend, "TaskGroup")):
                if "__aexit__" in vars(owner):
                    yield ScopeTarget(owner=owner, attribute="__aexit__")

    def canaries(self, body: Callable[[], str], guard: Callable[[Any], Any]) -> Iterable[Canary]:  # noqa: ARG002 -- by class
        """A tool of a server in this process, and each way by which a client of this version calls it."""
        from agentcop.adapters._mcp_canary import canaries

        official, fast = next(classes(_CLIENT), None), next(classes(_FAST), None)
        return canaries(body, client=official, fast=fast)

    def selftest(self) -> None:
        """Every class must be where its module has been imported, and every method take a tool's name and arguments."""
        for module, name in PLACES:
            if is_imported(module, self._imported) and not inspect.isclass(getattr(sys.modules[module], name, None)):
                if (module, name) == _BASE:
                    continue  # version 2 has the module without the class
                raise NotArmed(f"there is no {module}.{name}: this build supports mcp {self.supported}")
        for place, attribute, _ in _METHODS:
            for owner in classes(place):
                _check(owner, attribute, {"name", "arguments"})
        for session in classes(_SESSION):
            _check(session, "send_request", {"request"})
            types = getattr(sys.modules[_SESSION[0]], "types", None)
            if missing := [each for each in ("CallToolRequestParams", "CallToolResult") if not hasattr(types, each)]:
                raise NotArmed(f"{_SESSION[0]} has no types.{' and no types.'.join(missing)} any more")


def _target(
    owner: type, attribute: str, parse: Callable[..., object], refusing: Callable[..., object] | None
) -> ToolTarget:
    return ToolTarget(
        owner=owner,
        base=owner,
        attribute=attribute,
        parse=parse,  # type: ignore[arg-type]  # both parsers are of its type
        refuse=refusing,
        name=lambda client: type(client).__name__,
        said=result_text,
        transport=True,
    )


def _session_of(client: object) -> object | None:
    """The session of a client that is connected; None for one that is not, and for a session."""
    try:
        session = getattr(client, "session", None)
    except Exception:  # how clients say that they are not connected, or not any more
        return None
    return session if is_any(session, _SESSION) else None


def _check(owner: type, attribute: str, parameters: set[str]) -> None:
    method = getattr(owner, attribute, None)
    if not inspect.iscoroutinefunction(method):
        raise NotArmed(f"{owner.__qualname__}.{attribute} is no coroutine method any more: nobody would see tool calls")
    if missing := parameters - inspect.signature(method).parameters.keys():
        raise NotArmed(f"{owner.__qualname__}.{attribute} takes no {', '.join(sorted(missing))} any more")
