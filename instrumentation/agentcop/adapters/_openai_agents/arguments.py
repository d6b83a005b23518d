"""Calls of the OpenAI Agents SDK's tools as their bodies will receive them.

A tool made of a Python function parses its JSON by a model of its own, behind the seam: the seam has it parse first,
and where it comes to bind what it parsed, it is given what was judged. Any other function tool is handed JSON text,
written anew of what was judged. The other kinds are given objects: a private copy of each is judged and handed on.
"""

from __future__ import annotations

import copy
import inspect
import sys
from dataclasses import dataclass, is_dataclass, replace
from functools import lru_cache
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from agentcop._seams.held import bare
from agentcop._seams.packages import package_of
from agentcop._seams.wrapping.binding import Binding
from agentcop.adapters._handover import Handover
from agentcop.adapters._interface import ParsedCall
from agentcop.adapters._json_arguments import AmbiguousError, decode, encode, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Parse = Callable[[Any, tuple[Any, ...], dict[str, Any]], ParsedCall | None]

_HANDOVER: Handover[tuple[list[Any], dict[str, Any]]] = Handover("openai_agents")
IMPLEMENTATION = "_invoke_tool_impl"
_NO_OBJECT = "the arguments are not the text of a JSON object"


def take(schema: object) -> tuple[list[Any], dict[str, Any]] | None:
    """What was judged for the function of this schema, once; None: it binds by itself. Raises the kept error."""
    return _HANDOVER.take(schema)


def parse_function(tool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedCall:  # noqa: ANN401 -- untyped
    """A call of a function tool: made of a Python function, of an agent, of an MCP server's tool, or by hand."""
    context, text = _context_and_text(args, kwargs)
    call_id = str(getattr(context, "tool_call_id", "") or "")
    schema = own_schema(bare(tool.on_invoke_tool))
    given: object = None
    unread: Exception | None = None
    try:
        given = decode(text)
    except AmbiguousError as ambiguous:
        return ParsedCall(arguments={}, unfit=str(ambiguous), run=lambda _: (args, kwargs), call_id=call_id)
    except (ValueError, RecursionError) as error:
        unread = error
    if schema is not None:
        return _own_call(schema, given, unread, context, (args, kwargs), call_id)
    return _text_call(tool.params_json_schema, given, unread, context, text, call_id)


def parse_handoff(handoff: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedCall | None:  # noqa: ANN401 -- untyped
    """A hand-over to another agent that hands the application data; without any, no code but the SDK's runs.

    The SDK validates that data strictly, so nothing is converted.
    """
    context, text = _context_and_text(args, kwargs)
    schema = handoff.input_json_schema
    try:
        given = decode(text)
    except AmbiguousError as ambiguous:
        return ParsedCall(arguments={}, unfit=str(ambiguous), run=lambda _: (args, kwargs))
    except (ValueError, RecursionError) as error:
        return _text_call(schema, None, error, context, text, "")
    if not given and not schema.get("properties"):
        return None
    return _text_call(schema, given, None, context, text, "", convert=False)


def parse_custom(tool: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedCall:  # noqa: ARG001 -- interface
    """A call of a custom tool: one text."""
    context, text = _context_and_text(args, kwargs)
    return ParsedCall(
        arguments={"input": text},
        run=lambda frozen: ((context, frozen["input"]), {}),
        call_id=str(getattr(context, "tool_call_id", "") or ""),
    )


def parse_shell(tool: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedCall:  # noqa: ARG001 -- interface
    """A call of either shell: the commands, and how they are to be run."""
    (request,) = (*args, *kwargs.values())
    data = copy.copy(request.data)
    data.action = copy.deepcopy(data.action)
    arguments = _fields(data.action)
    arguments.pop("type", None)
    return ParsedCall(
        arguments=arguments,
        run=lambda _: ((replace(request, data=data),), {}),
        call_id=str(getattr(data, "call_id", "") or ""),
    )


def patch_parser(method: str) -> Parse:
    """How a call of this method of an editor is parsed: which file is created, changed or deleted, and how."""

    def parse(tool: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ParsedCall:  # noqa: ARG001 -- interface
        (operation,) = (*args, *kwargs.values())
        mine = copy.copy(operation)
        arguments = {key: getattr(mine, key) for key in ("path", "diff", "move_to") if hasattr(mine, key)}
        return ParsedCall(arguments={"operation": method, **arguments}, run=lambda _: ((mine,), {}))

    return parse


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputerCall(ParsedCall):
    """A call of a computer, with what its answer is made of."""

    agent: object
    acknowledged: object
    commit: Callable[[object], object] | None


def parse_computer(tool: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ComputerCall:  # noqa: ARG001 -- interface
    """All that one call does on the screen, in its order."""
    action = kwargs["action"]
    call = copy.deepcopy(action.tool_call)
    actions = getattr(call, "actions", None) or [each for each in (call.action,) if each is not None]
    return ComputerCall(
        arguments={"actions": [_fields(each) for each in actions]},
        run=lambda _: (args, {**kwargs, "action": replace(action, tool_call=call)}),
        call_id=call.call_id,
        agent=kwargs["agent"],
        acknowledged=kwargs.get("acknowledged_safety_checks"),
        commit=kwargs.get("tool_output_committer"),
    )


def own_schema(invoker: object) -> Any:  # noqa: ANN401 -- the framework is not imported
    """The schema by which the SDK itself parses for a Python function; None for every other body."""
    kind = sys.modules["agents.function_schema"].FuncSchema
    for function in made_by_the_sdk(implementation(invoker)):
        for cell in function.__closure__ or ():
            if isinstance(schema := contents(cell), kind):
                return schema
    return None


def implementation(invoker: object) -> object:
    """Where newer versions of the SDK keep their code: in an object of a class of theirs. Older ones give it itself."""
    return getattr(invoker, IMPLEMENTATION, None) if package_of(type(invoker)) == "agents" else invoker


def made_by_the_sdk(function: object, depth: int = 0) -> Iterator[FunctionType]:
    """The functions that `function_tool` makes for one tool, as far as they hold one another."""
    if type(function) is not FunctionType or depth > 3:  # noqa: PLR2004 -- one more than any version has
        return
    module = sys.modules["agents.tool"]
    # By its code: a name can be given to any function.
    if function.__globals__ is vars(module) and function.__code__ in _codes_in(inspect.unwrap(module.function_tool)):
        yield function
        for cell in function.__closure__ or ():
            yield from made_by_the_sdk(contents(cell), depth + 1)


@lru_cache(maxsize=4)
def _codes_in(function: FunctionType) -> frozenset[CodeType]:
    """Of the functions that are defined in this one, at whatever depth."""
    found, waiting = set[CodeType](), [function.__code__]
    while waiting:
        inner = [each for each in waiting.pop().co_consts if isinstance(each, CodeType)]
        found.update(inner)
        waiting.extend(inner)
    return frozenset(found)


def contents(cell: Any) -> object:  # noqa: ANN401 -- a cell has no public type
    """What a closure's cell holds; None while it is empty."""
    try:
        contents: object = cell.cell_contents
    except ValueError:  # it is still empty
        return None
    return contents


def _own_call(  # noqa: PLR0913, PLR0917 -- what a call is made of
    schema: Any,  # noqa: ANN401 -- the framework is not imported
    given: Any,  # noqa: ANN401 -- whatever JSON says
    unread: Exception | None,
    context: Any,  # noqa: ANN401 -- as above
    call: tuple[tuple[Any, ...], dict[str, Any]],
    call_id: str,
) -> ParsedCall:
    """A call that the SDK parses: by its own model, now; when it comes to that, it finds what was judged."""

    def invalid(error: Exception) -> ParsedCall:
        def run(_: Mapping[str, object]) -> tuple[tuple[Any, ...], dict[str, Any]]:
            _HANDOVER.leave(schema, error=error)
            return call

        return ParsedCall(arguments={}, invalid=error, run=run)

    if unread is not None:
        return invalid(unread)
    binding = Binding(schema.signature, skip_first=schema.takes_context)
    try:
        with _HANDOVER.free():
            parsed = schema.params_pydantic_model(**given) if given else schema.params_pydantic_model()
            args, kwargs = schema.to_call_args(parsed)
        arguments = binding.bind(tuple(args), kwargs)
    except Exception as error:
        return invalid(error)

    def run(frozen: Mapping[str, object]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        positional, named = binding.unbind(frozen)
        _HANDOVER.leave(schema, (list(positional), named))
        if getattr(context, "_function_tool_arguments", None) is not None:
            context._function_tool_arguments = None  # noqa: SLF001 -- bound before the verdict, to ask about approval
        return call

    return ParsedCall(arguments=arguments, run=run, boxed=binding.unbind, call_id=call_id)


def _text_call(  # noqa: PLR0913, PLR0917 -- what a call is made of
    schema: object,
    given: object,
    unread: Exception | None,
    context: object,
    text: str,
    call_id: str,
    *,
    convert: bool = True,
) -> ParsedCall:
    """A call whose body parses text: it is given the text of what was judged."""
    if unread is not None or not isinstance(given, dict):
        return ParsedCall(arguments={}, unfit=_NO_OBJECT, run=lambda _: ((context, text), {}), call_id=call_id)

    def run(frozen: Mapping[str, object]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (context, encode(frozen) if frozen or text else text), {}

    return ParsedCall(arguments=fit(given, schema, convert=convert), run=run, call_id=call_id)


def _context_and_text(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, str]:
    """The two arguments with which every body of text is called. Raises TypeError for any others."""
    values = (*args, *kwargs.values())
    if len(values) != 2:  # noqa: PLR2004 -- a context and a text
        message = f"a tool is called with its context and its arguments, not with {len(values)} values"
        raise TypeError(message)
    context, text = values if isinstance(values[1], str) else reversed(values)
    if not isinstance(text, str):
        message = f"a tool's arguments are a text, not {type(text).__name__}"
        raise TypeError(message)
    return context, text


def _fields(thing: Any) -> dict[str, Any]:  # noqa: ANN401 -- the SDK's and OpenAI's own objects
    if hasattr(thing, "model_dump"):
        dumped: dict[str, Any] = thing.model_dump()
        return dumped
    if is_dataclass(thing):
        return dict(vars(thing))
    return dict(thing)
