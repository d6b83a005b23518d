"""One file a framework: where its tool calls pass. Data only; judging is the processor's.

An armed interpreter imports this at its start, so nothing is loaded here: the registry is names.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # see agentcop._boot
if TYPE_CHECKING:
    from agentcop.adapters._interface import FrameworkAdapter

_LANGCHAIN = "agentcop.adapters.langchain:LangChainAdapter"
_OPENAI_AGENTS = "agentcop.adapters.openai_agents:OpenAIAgentsAdapter"
_MCP = "agentcop.adapters.mcp_client:McpAdapter"

REGISTRY: dict[str, str] = {
    "langchain_core.language_models.chat_models": _LANGCHAIN,
    "langchain_core.language_models.llms": _LANGCHAIN,
    "langchain_core.tools.base": _LANGCHAIN,
    "langgraph.pregel": _LANGCHAIN,
    "langchain.agents.agent": _LANGCHAIN,
    "langchain.agents.agent_iterator": _LANGCHAIN,
    "langchain.chains.base": _LANGCHAIN,
    "langchain_classic.agents.agent": _LANGCHAIN,
    "langchain_classic.agents.agent_iterator": _LANGCHAIN,
    "langchain_classic.chains.base": _LANGCHAIN,
    "agents.agent": _OPENAI_AGENTS,
    "agents.function_schema": _OPENAI_AGENTS,
    "agents.handoffs": _OPENAI_AGENTS,
    "agents.models.interface": _OPENAI_AGENTS,
    "agents.result": _OPENAI_AGENTS,
    "agents.run": _OPENAI_AGENTS,
    "agents.run_internal.tool_actions": _OPENAI_AGENTS,
    "agents.tool": _OPENAI_AGENTS,
    "mcp.client.session": _MCP,
    "mcp.client.client": _MCP,
    "mcp.shared.session": _MCP,
    "fastmcp.client.client": _MCP,
    "fastmcp.client.mixins.tools": _MCP,
}
"""Module that defines what is patched, to the adapter that patches it, as `module:class`."""

_SCOPED = ("mcp.client.session",)
"""Those whose framework puts errors into groups."""

ROOTS: dict[str, str] = {name.partition(".")[0]: place for name, place in REGISTRY.items()}
"""Top name of a framework's packages, to its adapter."""

SHARED = {"agents": ("openai-agents", "function_schema")}
"""Top names that people give packages of their own, to the framework's distribution and a module that only it has."""


def is_framework(name: str) -> bool:
    """Whether the package that is imported as `name`, or that this module is of, is the framework of that name."""
    root = name.partition(".")[0]
    if root not in SHARED:
        return True
    from importlib.machinery import PathFinder
    from importlib.metadata import PackageNotFoundError, distribution

    package, (owner, module) = sys.modules.get(root), SHARED[root]
    paths = [str(path) for path in getattr(package, "__path__", ())]
    if PathFinder.find_spec(f"{root}.{module}", paths) is not None:
        return True
    try:
        return any(
            os.path.realpath(path) == os.path.realpath(str(distribution(owner).locate_file(root))) for path in paths
        )
    except PackageNotFoundError:
        return False


def installable(module_name: str) -> FrameworkAdapter | None:
    """The adapter that the import of `module_name` calls for, loaded now; None if there is none."""
    place = REGISTRY.get(module_name)
    return _load(place, module_name) if place is not None else None


def install(adapter: FrameworkAdapter) -> None:
    """Put the targets of `adapter` in place for every object of its framework. Idempotent. Raises NotArmed."""
    from agentcop._seams.install import install_adapter

    install_adapter(adapter)


def open_scopes() -> None:
    """Let refusals out of the task groups of frameworks that are imported, as far as these are still to be entered.

    Called early, for a group that has been entered cannot be changed any more. This stops no call, so it raises
    nothing.
    """
    for module in _SCOPED:
        if module in sys.modules:
            import logging

            from agentcop._seams.install import install_scopes

            try:
                install_scopes(_load(REGISTRY[module], ""))
            except Exception:
                logging.getLogger("agentcop").exception("agentcop: refusals will come in groups, as all errors do")


def adapter_for(obj: object) -> FrameworkAdapter | None:
    """The adapter of the framework that the class of `obj` comes from, loaded now; None if this build has none."""
    for cls in type(obj).__mro__:
        place = ROOTS.get(cls.__module__.partition(".")[0])
        if place is not None and is_framework(cls.__module__):
            return _load(place, "")
    return None


def _load(place: str, imported: str) -> FrameworkAdapter:
    from importlib import import_module

    module, _, name = place.partition(":")
    adapter: FrameworkAdapter = getattr(import_module(module), name)(imported)
    return adapter
