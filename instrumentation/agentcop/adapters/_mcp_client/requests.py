"""A `tools/call` request as its server will get it: judged is what the client library makes of the arguments."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from agentcop.adapters._interface import ParsedCall
from agentcop_core.names import canonical_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Args = tuple[Any, ...]
    Kwargs = dict[str, Any]
    Parse = Callable[[Any, Args, Kwargs], ParsedCall | None]

META = "_meta"
"""Under what name the request's metadata stands among the arguments in policies: what the protocol calls it."""

TRACE = frozenset({"traceparent", "tracestate", "baggage"})
"""Metadata that tells the server which trace it belongs to: sent, and no argument of the call."""

_JSON = frozenset({str, int, float, bool, type(None)})
_MANY = 100_000
_PARAMS = ("name", "arguments", "meta")
_CALL = "tools/call"


def mcp_types() -> Any:  # noqa: ANN401 -- a module of the library's
    """The library's module of types, wherever this version keeps it."""
    return sys.modules["mcp.client.session"].types


def parser(*positional: str) -> Parse:
    """How a client's method that calls a tool is read; `positional`: its parameters in their order, without `self`."""

    def parse(client: object, args: Args, kwargs: Kwargs) -> ParsedCall:  # noqa: ARG001 -- as the interface has it
        given = _by_name(positional, args, kwargs)
        try:
            params = mcp_types().CallToolRequestParams.model_validate(_as_params(given))
            name = str.__str__(params.name)  # a class of the caller's own might compare as it likes
            arguments, meta = _wire(params)
        except Exception as error:
            return _invalid(given["name"], error)

        def run(arguments: dict[str, Any] | None, meta: dict[str, Any] | None) -> tuple[Args, Kwargs]:
            sent = {"name": name, "arguments": arguments, "meta": meta}
            replaced = {key: sent[key] for key in given if key in sent}
            rest = {key: replaced.get(key, value) for key, value in kwargs.items()}
            return tuple(replaced.get(key, value) for key, value in zip(positional, args, strict=False)), rest

        again = given.get("input_responses") is not None or given.get("request_state") is not None
        return _parsed(name, arguments, meta, run, again=again)

    return parse


def parse_request(session: object, args: Args, kwargs: Kwargs) -> ParsedCall | None:  # noqa: ARG001 -- as the interface has it
    """A request of any kind: a call of a tool by its method's name, whatever its class; None for all others."""
    request = args[0] if args else kwargs.get("request")
    if getattr(getattr(request, "root", request), "method", None) != _CALL:
        return None
    try:
        data = request.model_dump(by_alias=True, mode="json", exclude_none=True)  # type: ignore[union-attr]  # it has a method
        params = data["params"]
        name, arguments, meta = params["name"], params.get("arguments"), params.get(META)
    except Exception as error:
        return _invalid("", error)

    def run(arguments: dict[str, Any] | None, meta: dict[str, Any] | None) -> tuple[Args, Kwargs]:
        sent = {"arguments": arguments, META: meta}
        whole = {**data, "params": {**params, **{key: value for key, value in sent.items() if value is not None}}}
        judged = type(request).model_validate(whole)  # type: ignore[union-attr]  # as above
        return ((judged, *args[1:]), kwargs) if args else (args, {**kwargs, "request": judged})

    again = params.get("inputResponses") is not None or params.get("requestState") is not None
    return _parsed(name, arguments, meta, run, again=again)


def _by_name(positional: tuple[str, ...], args: Args, kwargs: Kwargs) -> dict[str, Any]:
    """The caller's arguments by name. Raises TypeError where they do not fit."""
    if len(args) > len(positional):
        raise TypeError(f"takes {len(positional)} positional arguments, not {len(args)}")
    given = dict(zip(positional, args, strict=False))
    if twice := given.keys() & kwargs.keys():
        raise TypeError(f"argument given twice: {', '.join(sorted(twice))}")
    given.update(kwargs)
    if "name" not in given:
        raise TypeError("missing 1 required positional argument: 'name'")
    return given


def _as_params(given: Mapping[str, Any]) -> dict[str, Any]:
    params = {key: given.get(key) for key in _PARAMS}
    meta = params.pop("meta")
    return {**params, META: meta} if meta is not None else params


def _wire(params: Any) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:  # noqa: ANN401 -- the library's model
    """Arguments and metadata as the library will write them: its own models' aliases and serialisers have their say."""
    arguments = params.arguments
    if arguments is not None and not _is_json(arguments):
        arguments = _dumped(params, "arguments")["arguments"]
    return arguments, None if params.meta is None else _dumped(params, "meta").get(META, {})


def _dumped(params: Any, field: str) -> dict[str, Any]:  # noqa: ANN401 -- the library's model
    dumped: dict[str, Any] = params.model_dump(by_alias=True, mode="json", exclude_none=True, include={field})
    return dumped


def _is_json(value: object) -> bool:
    """Whether this is made of what JSON has and of nothing else; False, too, where that would take long to see."""
    waiting: list[Any] = [value]
    seen = 0
    while waiting:
        node = waiting.pop()
        kind = type(node)
        if kind is dict:
            if not all(type(key) is str for key in node):
                return False
            below = node.values()
        elif kind is list:
            below = node
        elif kind in _JSON and (kind is not float or node - node == 0.0):
            continue
        else:
            return False
        seen += len(below)
        if seen > _MANY:
            return False
        waiting.extend(below)
    return True


def _invalid(name: object, error: Exception) -> ParsedCall:
    """A request that the library itself cannot make: its own error, and nothing is sent."""

    def run(values: Mapping[str, object]) -> tuple[Args, Kwargs]:  # noqa: ARG001 -- as the interface has it
        raise error

    return ParsedCall(arguments={}, invalid=error, tool=name if isinstance(name, str) else "", run=run)


def _parsed(
    name: str,
    arguments: dict[str, Any] | None,
    meta: dict[str, Any] | None,
    run: Callable[[dict[str, Any] | None, dict[str, Any] | None], tuple[Args, Kwargs]],
    *,
    again: bool,
) -> ParsedCall:
    told = {key: value for key, value in (meta or {}).items() if key not in TRACE}
    trace = {key: value for key, value in (meta or {}).items() if key in TRACE}
    judged = {**(arguments or {}), **({META: told} if told else {})}

    def with_values(values: Mapping[str, object]) -> tuple[Args, Kwargs]:
        frozen = dict(values)
        frozen_meta: Any = {**trace, **frozen.pop(META)} if told else meta  # type: ignore[dict-item]  # a dict was judged
        return run(None if arguments is None else frozen, frozen_meta)

    return ParsedCall(
        tool=name,
        arguments=judged,
        run=with_values,
        unfit=_unfit(name, arguments, told),
        again=again,
    )


def _unfit(name: str, arguments: Mapping[str, object] | None, told: Mapping[str, object]) -> str:
    """Why no policy can speak of this call: it would judge another name, or another value, than is sent."""
    if canonical_name(name) != name:
        return "the tool's name is written in a way that hides what it is: the server would get another than is judged"
    if told and arguments is not None and META in arguments:
        return f"there is an argument {META}, which is also what the request's metadata is called"
    return ""
