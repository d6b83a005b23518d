"""LangChain's tool calls as their bodies will receive them: parsed once, judged, and handed over.

A LangChain tool parses its raw input inside `run`, after callbacks have seen it. So the seam has the tool parse first,
and when `run` comes to parse, it is given what was judged: validators run once, and what a callback does to the raw
input in between has no effect. An error of the tool's own parsing is kept and raised again at that place, where
LangChain's handlers for it stand.
"""

from __future__ import annotations

import inspect
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from agentcop.adapters._interface import ParsedCall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PARSER = "_to_args_and_kwargs"
"""The method by which every LangChain tool, in all versions, turns raw input into its body's arguments."""

_MANAGERS = frozenset({"run_manager", "callbacks"})
"""Parameters that LangChain fills in after it has parsed."""
_NO_TOOLS = (
    ("langchain.agents.tools", "InvalidTool"),
    ("langchain.agents.agent", "ExceptionTool"),
    ("langchain_classic.agents.tools", "InvalidTool"),
    ("langchain_classic.agents.agent", "ExceptionTool"),
)
"""How agents tell the model that it named a tool wrongly or wrote what nobody can parse: they do nothing else."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """What `run` is to find when it parses: arguments, or the error that parsing them raised."""

    tool: object
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] | None = None
    error: Exception | None = None


_judged: ContextVar[_Judged | None] = ContextVar("agentcop_langchain_judged", default=None)


def take(tool: object) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """What was judged for this tool, once; None: the tool parses by itself. Raises the kept error."""
    judged = _judged.get()
    if judged is None or judged.tool is not tool:
        return None
    _judged.set(None)
    if judged.error is not None:
        raise judged.error
    return judged.args, dict(judged.kwargs or {})


def parser(*, own: bool) -> Callable[[Any, tuple[Any, ...], dict[str, Any]], ParsedCall | None]:
    """How calls of `run` and `arun` are read; `own`: as LangChain defines them, rather than a subclass."""

    def parse(tool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedCall | None:  # noqa: ANN401 -- untyped
        if is_no_tool(tool):
            return None
        given = args[0] if args else kwargs.get("tool_input", _MISSING)
        if given is _MISSING:
            raise TypeError("missing 1 required positional argument: 'tool_input'")
        call_id = kwargs.get("tool_call_id")
        _judged.set(None)
        try:
            run_args, run_kwargs = getattr(tool, PARSER)(dict(given) if isinstance(given, dict) else given, call_id)
        except Exception as error:
            # A subclass may run its body without parsing at all.
            if not own:
                raise TypeError(f"the arguments do not fit: {error}") from error
            kept = error
            return ParsedCall(arguments={}, invalid=kept, run=lambda _: _left(tool, args, kwargs, kept))
        injected = {key: run_kwargs[key] for key in injected_keys(tool, run_kwargs)}
        names = positional_names(tool, len(run_args))
        arguments = dict(zip(names, run_args, strict=True))
        arguments.update((key, value) for key, value in run_kwargs.items() if key not in injected)

        def run(frozen: Mapping[str, object]) -> tuple[tuple[Any, ...], dict[str, Any]]:
            rest = dict(frozen)
            if not own:
                return _replaced(args, kwargs, given, rest)
            positional = tuple(rest.pop(name) for name in names)
            _judged.set(_Judged(tool, positional, {**rest, **injected}))
            return args, kwargs

        return ParsedCall(arguments=arguments, run=run, call_id=str(call_id or ""))

    return parse


_MISSING = object()


def is_no_tool(tool: object) -> bool:
    """Whether this is one of LangChain's stand-ins for a tool that does not exist, by class identity."""
    for module, name in _NO_TOOLS:
        stand_in = getattr(sys.modules.get(module), name, None)
        if stand_in is not None and type(tool) is stand_in:
            return True
    return False


def injected_keys(tool: Any, kwargs: Mapping[str, object]) -> frozenset[str]:  # noqa: ANN401 -- untyped on purpose
    """Those of the arguments that the tool declares as its application's, not the model's: state, stores, ids."""
    if not kwargs:
        return frozenset()
    return (frozenset(getattr(tool, "_injected_args_keys", ())) | _injected_fields(tool)) & kwargs.keys()


_fields: WeakKeyDictionary[type, frozenset[str]] = WeakKeyDictionary()


def _injected_fields(tool: Any) -> frozenset[str]:  # noqa: ANN401 -- untyped on purpose
    schema = tool.args_schema
    if not isinstance(schema, type):
        return frozenset()
    known = _fields.get(schema)
    if known is None:
        base = sys.modules["langchain_core.tools.base"]
        annotations = base.get_all_basemodel_annotations(schema)
        known = frozenset(name for name, kind in annotations.items() if base._is_injected_arg_type(kind))  # noqa: SLF001 -- no public way
        _fields[schema] = known
    return known


def positional_names(tool: Any, count: int) -> tuple[str, ...]:  # noqa: ANN401 -- untyped on purpose
    """What policies call the arguments that a tool with one text input passes by position."""
    if count == 0:
        return ()
    names = _declared_names(tool)[:count]
    return (*names, *(f"arg{number}" for number in range(len(names), count)))


def _declared_names(tool: Any) -> tuple[str, ...]:  # noqa: ANN401 -- untyped on purpose
    schema = tool.args_schema
    if isinstance(schema, dict):
        return tuple(schema.get("properties", ()))
    if isinstance(schema, type):
        fields = getattr(schema, "model_fields", None) or getattr(schema, "__fields__", {})
        return tuple(fields)
    if hasattr(tool, "func"):
        return ("tool_input",)
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(tool._run).parameters.values()  # noqa: SLF001 -- where a tool declares its input
    return tuple(each.name for each in parameters if each.kind in positional and each.name not in _MANAGERS)


def _left(
    tool: object, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    _judged.set(_Judged(tool, error=error))
    return args, kwargs


def _replaced(
    args: tuple[Any, ...], kwargs: dict[str, Any], given: object, frozen: Mapping[str, object]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The call of a subclass's own `run`: the same, with the judged values in place of its raw input's."""
    if not isinstance(given, dict):
        return args, kwargs
    given = {key: frozen.get(key, value) for key, value in given.items()}
    if args:
        return (given, *args[1:]), kwargs
    return args, {**kwargs, "tool_input": given}
