"""Objects of agent frameworks: recognised by their adapter, registered, and left as they are."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from agentcop._seams.registry import name_tool, register, registered
from agentcop.adapters import adapter_for, install
from agentcop_core.errors import NotArmed

if TYPE_CHECKING:
    from agentcop_processor.gate import Gate


def govern(obj: object, gate: Gate, name: str = "") -> str:
    """Put a framework's agent or tool behind `gate`; its name in policies, or "" if no adapter knows what it is.

    `name`: what policies call a tool, if not what the framework does. Raises NotArmed where a seam is missing, or the
    agent is another cop's.
    """
    adapter = adapter_for(obj)
    if adapter is None:
        return ""
    for module in adapter.needs:
        try:
            import_module(module)
        except ImportError as error:
            message = f"{type(obj).__qualname__} cannot be governed: {module}, where its tool calls pass, is not there"
            raise NotArmed(message) from error
    install(adapter)
    obj = adapter.inside(obj)
    role = adapter.recognises(obj)
    if role is None:
        return ""
    if role == "agent":
        check_owner(obj, gate)
        name = gate.agent_id
        _name_tools(obj)
    found = register(obj, role, name or str(getattr(obj, "name", type(obj).__name__)), gate)
    for part in adapter.parts(obj):
        register(part, role, found.name, gate)
    return found.name


def _name_tools(agent: object) -> None:
    """The names of the tools that an agent holds are fixed where it is wrapped, as those of wrapped tools are."""
    tools = getattr(agent, "tools", None)
    for tool in tools if isinstance(tools, list | tuple) else ():
        if isinstance(name := getattr(tool, "name", None), str):
            name_tool(tool, name)


def check_owner(obj: object, gate: Gate) -> None:
    """Raises NotArmed if another cop has wrapped this agent."""
    owner = registered(obj, "agent")
    if owner is not None and gate not in owner.gates:
        message = f"{type(obj).__qualname__} is already wrapped by the cop of {owner.gates[0].agent_id!r}"
        raise NotArmed(message)
