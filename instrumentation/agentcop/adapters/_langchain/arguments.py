"""LangChain's tool calls as their bodies will receive them: parsed once, judged, and handed over.

A LangChain tool parses its raw input inside `run`, after callbacks have seen it. So the seam has the tool parse first,
and when `run` comes to parse, it is given what was judged: validators run once, and what a callback does to the raw
input in between has no effect. An error of the tool's own parsing is kept and raised again at that place, where
LangChain's handlers for it stand.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from agentcop.adapters._handover import Handover
from agentcop.adapters._interface import ParsedCall

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PARSER = "_to_args_and_kwargs"
"""The method by which every LangChain tool, in all versions, turns raw input into its body's arguments."""

_BODIES = ("func", "coroutine")
_MANAGERS = frozenset({"run_manager", "callbacks"})
"""Parameters that LangChain fills in after it has parsed."""
_NO_TOOLS = (
    ("langchain.agents.tools", "InvalidTool"),
    ("langchain.agents.agent", "ExceptionTool"),
    ("langchain_classic.agents.tools", "InvalidTool"),
    ("langchain_classic.agents.agent", "ExceptionTool"),
)
"""How agents tell the model that it named a tool wrongly or wrote what nobody can parse: they do nothing else."""


_HANDOVER: Handover[tuple[tuple[Any, ...], dict[str, Any]]] = Handover("langchain")


def take(tool: object) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """What was judged for this tool, once; None: the tool parses by itself. Raises the kept error."""
    return _HANDOVER.take(tool)


def parse_run(tool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedCall | None:  # noqa: ANN401 -- untyped
    """A call of LangChain's own `run` or `arun`."""
    if is_no_tool(tool):
        return None
    given, call_id = _given(args, kwargs, "tool_input"), kwargs.get("tool_call_id")
    try:
        run_args, run_kwargs = _parsed(tool, given, call_id)
    except Exception as error:
        kept = error
        return ParsedCall(arguments={}, invalid=kept, run=lambda _: _left(tool, args, kwargs, kept))
    injected = {key: run_kwargs[key] for key in injected_keys(tool, run_kwargs)}
    names = positional_names(tool, len(run_args))

    def body(frozen: Mapping[str, object]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        rest = dict(frozen)
        positional = tuple(rest.pop(name) for name in names)
        return positional, {**rest, **injected}

    def run(frozen: Mapping[str, object]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        _HANDOVER.leave(tool, body(frozen))
        return args, kwargs

    arguments = _named(names, run_args, run_kwargs, injected)
    return ParsedCall(arguments=arguments, run=run, boxed=body, call_id=str(call_id or ""))


def parse_own_run(tool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedCall | None:  # noqa: ANN401 -- untyped
    """A call of a `run` or `arun` that a tool's class has defined itself: what it does with its input is unknown."""
    given, call_id = _given(args, kwargs, "tool_input"), kwargs.get("tool_call_id")

    def run(frozen: Mapping[str, object]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return _replaced(args, kwargs, "tool_input", _judged_input(given, frozen))

    return ParsedCall(arguments=_as_far_as_parsed(tool, given, call_id), run=run, call_id=str(call_id or ""))


def parse_own_invoke(tool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedCall | None:  # noqa: ANN401 -- untyped
    """The same of `invoke` and `ainvoke`, which take a text, a dict of arguments or a model's whole call."""
    whole = _given(args, kwargs, "input")
    is_call = isinstance(whole, dict) and whole.get("type") == "tool_call"
    given, call_id = (whole["args"], whole["id"]) if is_call else (whole, None)

    def run(frozen: Mapping[str, object]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        judged = _judged_input(given, frozen)
        return _replaced(args, kwargs, "input", {**whole, "args": judged} if is_call else judged)

    return ParsedCall(arguments=_as_far_as_parsed(tool, given, call_id), run=run, call_id=str(call_id or ""))


def no_call(tool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedCall | None:  # noqa: ANN401, ARG001 -- as the others
    """Of a method that calls another which is judged."""
    return None


def _given(args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:  # noqa: ANN401 -- a text or a dict
    if args:
        return args[0]
    if name not in kwargs:
        message = f"missing 1 required positional argument: {name!r}"
        raise TypeError(message)
    return kwargs[name]


def _parsed(tool: Any, given: object, call_id: str | None) -> tuple[tuple[Any, ...], dict[str, Any]]:  # noqa: ANN401 -- untyped
    """What the tool's own parsing makes of a copy of the input, and what its body adds; raises what parsing raises."""
    with _HANDOVER.free():
        args, kwargs = getattr(tool, PARSER)(dict(given) if isinstance(given, dict) else given, call_id)
    return args, {**_own_defaults(tool, {*positional_names(tool, len(args)), *kwargs}), **kwargs}


def _own_defaults(tool: Any, given: Collection[str]) -> dict[str, object]:  # noqa: ANN401 -- untyped
    """What the body's own signature puts in the place of declared arguments that were not given.

    LangChain 0.3 leaves the defaults of a schema out. Where a tool's two bodies disagree nothing is added.
    """
    missing = [name for name in _declared_names(tool) if name not in given]
    if not missing:
        return {}
    bodies = [body for body in (getattr(tool, name, None) for name in _BODIES) if inspect.isroutine(body)]
    if not any(hasattr(tool, name) for name in _BODIES):
        bodies = [tool._run]  # noqa: SLF001 -- where a tool that is a class has its body
    signatures = [inspect.signature(body).parameters for body in bodies]
    found: dict[str, object] = {}
    for name in missing:
        defaults = [parameters[name].default for parameters in signatures if name in parameters]
        if (
            defaults
            and all(default is defaults[0] for default in defaults)
            and defaults[0] is not inspect.Parameter.empty
        ):
            found[name] = defaults[0]
    injected = injected_keys(tool, found)
    return {name: default for name, default in found.items() if name not in injected}


def _named(
    names: tuple[str, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any], injected: Mapping[str, object]
) -> dict[str, object]:
    arguments = dict(zip(names, args, strict=True))
    arguments.update((key, value) for key, value in kwargs.items() if key not in injected)
    return arguments


def _as_far_as_parsed(tool: Any, given: object, call_id: str | None) -> dict[str, object]:  # noqa: ANN401 -- untyped
    """The arguments by name; as they were given where they do not fit, for the class may not ask whether they do.

    What LangChain's parsing drops is among them: the class is handed it all the same.
    """
    try:
        args, kwargs = _parsed(tool, given, call_id)
    except Exception:
        args, kwargs = ((), dict(given)) if isinstance(given, dict) else ((given,), {})
    if isinstance(given, dict) and len(given) > len(args):
        kwargs = {**given, **kwargs}
    names = positional_names(tool, len(args))
    kept = {key: value for key, value in kwargs.items() if key not in names}
    return _named(names, args, kept, dict.fromkeys(injected_keys(tool, kept)))


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
        fields = getattr(schema, "model_fields", None)
        return tuple(getattr(schema, "__fields__", {}) if fields is None else fields)  # pydantic 1 has the latter alone
    if hasattr(tool, "func"):
        return ("tool_input",)
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(tool._run).parameters.values()  # noqa: SLF001 -- where a tool declares its input
    return tuple(each.name for each in parameters if each.kind in positional and each.name not in _MANAGERS)


def _left(
    tool: object, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    _HANDOVER.leave(tool, error=error)
    return args, kwargs


def _judged_input(given: object, frozen: Mapping[str, object]) -> object:
    """The raw input with the judged values in place of its own."""
    return {key: frozen.get(key, value) for key, value in given.items()} if isinstance(given, dict) else given


def _replaced(
    args: tuple[Any, ...], kwargs: dict[str, Any], name: str, judged: object
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return ((judged, *args[1:]), kwargs) if args else (args, {**kwargs, name: judged})
