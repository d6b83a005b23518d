"""Plain Python: functions, tool objects, and agents that hold their tools in dicts and lists."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from agentcop._seams.wrapping.binding import Binding
from agentcop.adapters._interface import Canary, EntryTarget, ModelTarget, ParsedCall, ToolTarget
from agentcop_core.session import Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agentcop._seams.registry import Role

ENTRIES = ("run", "invoke", "__call__", "arun", "ainvoke", "stream", "astream")
"""By what names plain agents and tool objects are called; the first group of them that exists is patched whole."""


class GenericAdapter:
    """Everything that no framework's adapter recognises."""

    name = "python"
    module = ""
    supported = ""

    def recognises(self, obj: object) -> Role | None:  # noqa: ARG002 -- the last resort: what it holds decides
        """An agent, until nothing but its own methods can be found in it."""
        return "agent"

    def targets(self, tool: object) -> Iterable[ToolTarget]:
        """Each way of calling a tool object, judged by that method's own signature."""
        for attribute, method in _methods(type(tool)):
            yield ToolTarget(owner=type(tool), attribute=attribute, parse=_parser(method))

    def entry_targets(self, agent: object) -> Iterable[EntryTarget]:
        """Each way of running an agent."""
        for attribute, _ in _methods(type(agent)):
            yield EntryTarget(owner=type(agent), attribute=attribute, observe=_user_words)

    def model_targets(self) -> Iterable[ModelTarget]:
        """Plain Python has no model of its own."""
        return ()

    def canaries(self, body: Callable[[], str], guard: Callable[[Any], Any]) -> Iterable[Canary]:
        """A function, a coroutine function and a tool object."""
        import asyncio  # not in an agent's process

        def function() -> str:
            return body()

        async def coroutine() -> str:
            return body()

        class Tool:
            def run(self) -> str:
                return body()

        yield Canary(way="function", call=lambda: guard(function)())  # noqa: PLW0108 -- guarding may fail too
        yield Canary(way="async function", call=lambda: asyncio.run(guard(coroutine)()))
        yield Canary(way="tool object", call=lambda: guard(Tool()).run())


def _methods(owner: type) -> list[tuple[str, Callable[..., Any]]]:
    found = ((name, inspect.getattr_static(owner, name, None)) for name in ENTRIES)
    return [(name, method) for name, method in found if inspect.isfunction(method)]


def _parser(method: Callable[..., Any]) -> Callable[[object, tuple[Any, ...], dict[str, Any]], ParsedCall]:
    binding = Binding(method, skip_first=True)

    def parse(tool: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedCall:  # noqa: ARG001 -- interface
        return ParsedCall(
            arguments=binding.bind(args, kwargs), run=lambda frozen: binding.unbind(frozen, positional=len(args))
        )

    return parse


def _user_words(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterable[Observed]:
    for value in (*args, *kwargs.values()):
        if isinstance(value, str):
            yield Observed(kind="user", text=value)
