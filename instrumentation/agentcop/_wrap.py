"""What `cop.wrap` does with what it is given: the same object comes back, with its tools behind the gate."""

from __future__ import annotations

import logging
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar, cast

from agentcop._arming.frameworks import ROOTS
from agentcop._frameworked import check_owner, govern
from agentcop._seams.install import install_entry
from agentcop._seams.registry import register
from agentcop._toolname import tool_name
from agentcop.adapters import is_framework
from agentcop.adapters._holdings import Holdings, is_function
from agentcop.adapters.generic import GenericAdapter
from agentcop_core.errors import NotArmed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from agentcop_processor.gate import Gate

_log = logging.getLogger("agentcop")
_T = TypeVar("_T")

_warned: set[str] = set()
"""Attributes that were named once: an agent that is made anew for each task is not warned of each time."""


def wrap(obj: _T, gate: Gate, tools: Sequence[str]) -> _T:
    """As `AgentCop.wrap`."""
    if isinstance(tools, str):
        message = f"tools is a list of names: write tools=[{tools!r}]"
        raise NotArmed(message)
    adapter = GenericAdapter()
    holdings = Holdings(gate, adapter)
    if is_function(obj):
        return cast("_T", holdings.function(obj, tool_name(obj)))  # type: ignore[arg-type]  # is_function says so
    if isinstance(obj, dict | list):
        if classes := [one for one in (obj.values() if isinstance(obj, dict) else obj) if isinstance(one, type)]:
            message = f"{classes[0].__qualname__} is a class, which cannot be guarded in place: put a function there"
            raise NotArmed(message)
        if not holdings.container(obj):
            message = f"no tools in this {type(obj).__name__}: none of its values is a function or a tool object"
            raise NotArmed(message)
        return obj
    if isinstance(obj, tuple | set | frozenset):
        message = f"a {type(obj).__name__} cannot be guarded in place: wrap a list or a dict"
        raise NotArmed(message)
    if problem := _no_instance(obj):
        raise NotArmed(problem)
    if framework := _framework_of(obj):
        _wrap_frameworks(obj, gate, framework)
        return obj
    _wrap_object(obj, gate, holdings, tuple(tools))
    return obj


def guard_tool(tool: object, gate: Gate, name: str, live: Collection[str] = ()) -> object:
    """As `AgentCop.tool`: a guarded function in place of a function, the same object for a tool object."""
    holdings = Holdings(gate, GenericAdapter())
    gate.guards_tools = True
    if is_function(tool):
        return holdings.function(tool, name or tool_name(tool), live)  # type: ignore[arg-type]  # is_function says so
    if not isinstance(tool, type) and govern(tool, gate, name):
        return tool
    if live:
        raise NotArmed(f"{tool!r} is no function: live= names parameters of a function")
    if problem := _no_instance(tool):
        raise NotArmed(problem)
    if not holdings.tool_object(tool, name or tool_name(tool)):
        message = f"{tool!r} cannot be guarded as a tool: it is no function and has no run, invoke or __call__"
        raise NotArmed(message)
    return tool


def _wrap_object(obj: object, gate: Gate, holdings: Holdings, tools: tuple[str, ...]) -> None:
    """An object with tools is an agent; one with a `name` and no tools is a tool; else nothing can be promised."""
    check_owner(obj, gate)
    holdings.methods(obj, tools)
    holdings.attributes(obj)
    if not holdings.found and isinstance(getattr(obj, "name", None), str) and holdings.tool_object(obj, tool_name(obj)):
        _log.info("agentcop: %s is guarded as the tool %r", type(obj).__qualname__, tool_name(obj))
        return
    entries = tuple(GenericAdapter().entry_targets(obj))
    if not holdings.found and not (entries and gate.guards_tools):
        message = (
            f"found no tools in {type(obj).__qualname__}: looked for functions and tool objects in its own dict, list "
            "and tuple attributes (not its class's), for methods guarded by cop.tool, and for a tool object with a "
            "`name`. Name its tool methods and functions in wrap(…, tools=[…]), wrap the object that holds the tools, "
            "or guard them with cop.tool first"
        )
        raise NotArmed(message)
    for name in holdings.left_out(obj):
        place = f"{type(obj).__module__}.{type(obj).__qualname__}.{name}"
        if place in _warned:
            continue
        _warned.add(place)
        _log.warning(
            "agentcop: not behind the gate: %s.%s; if it is a tool, name it in wrap(…, tools=[…]); if it holds tools, "
            "make it a dict or list of this object",
            type(obj).__qualname__,
            name,
        )
    for target in entries:
        install_entry(target)
    register(obj, "agent", gate.agent_id, gate)
    gate.guards_tools = gate.guards_tools or bool(holdings.found)
    _log.info(
        "agentcop: wrapped %s; tools: %s", type(obj).__qualname__, ", ".join(holdings.found) or "guarded elsewhere"
    )


def _wrap_frameworks(obj: object, gate: Gate, framework: str) -> None:
    """An agent or a tool of a framework that there is an adapter for."""
    name = govern(obj, gate)
    if not name:
        message = (
            f"{type(obj).__qualname__} belongs to {framework}, and this build has no adapter for it, or it is neither "
            "an agent nor a tool there: wrap the agent itself, or its tools"
        )
        raise NotArmed(message)
    gate.guards_tools = True
    _log.info("agentcop: wrapped %s as %s", type(obj).__qualname__, name)


def _no_instance(obj: object) -> str:
    """Why `obj` cannot hold tools of its own; "" if it may. A module's dict leads to the builtins of the process."""
    if obj is None:
        return "there is nothing to guard: this is None"
    if isinstance(obj, type):
        return f"{obj.__qualname__} is a class: guard an instance of it"
    if isinstance(obj, ModuleType):
        return f"{obj.__name__} is a module: guard a dict or list of those of its functions that are tools"
    return ""


def _framework_of(obj: object) -> str:
    for cls in type(obj).__mro__:
        root = cls.__module__.partition(".")[0]
        if root in ROOTS and is_framework(root):
            return root
    return ""
