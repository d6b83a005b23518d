"""A policy held against the tools an agent really has: names that match nothing, arguments that no tool takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from agentcop_core.errors import AgentCopError
from agentcop_core.names import canonical_name
from agentcop_policies.judging.matching import matcher
from agentcop_policies.reading.problems import did_you_mean, quoted

if TYPE_CHECKING:
    from agentcop_policies.models import Rule
    from agentcop_policies.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool as far as a policy can speak about it."""

    name: str
    """Canonical."""
    arguments: frozenset[str] | None
    """The names of its arguments; None if they are not known, or not fixed."""


class UnreadableTools(AgentCopError):  # noqa: N818 -- what was given is no list of tools
    """What was given as tools is neither names, nor schemas, nor callables."""


def read_tools(value: object) -> tuple[Tool, ...]:
    """Tools from names, JSON schemas as model APIs and MCP have them, callables, or a mapping that holds such a list.

    Raises UnreadableTools. Calls nothing of what it is given.
    """
    if isinstance(value, Mapping):
        listed = value.get("tools")
        value = list(value.values()) if listed is None else listed
    if isinstance(value, str) or not isinstance(value, Iterable):
        message = "expected a list of tools: names, schemas or callables"
        raise UnreadableTools(message)
    return tuple(_tool(item) for item in value)


def check_tools(policy: Policy, tools: Iterable[Tool]) -> tuple[str, ...]:
    """One line for each rule that misses these tools; none for a name in `block`, which may name what is not there."""
    present = tuple(tools)
    found: list[str] = []
    for name in ("allow", "require_approval", "block"):
        for index, rule in enumerate(cast("tuple[Rule, ...]", getattr(policy.document.gate, name))):
            label = f"gate.{name}[{index}]"
            place = f"{policy.at(label)} {label}".lstrip()
            found.extend(f"{place} {text}" for text in _misses(policy, name, rule, present))
    return tuple(found)


def _misses(policy: Policy, name: str, rule: Rule, tools: tuple[Tool, ...]) -> Iterable[str]:
    means = matcher(rule.tool)
    meant = [tool for tool in tools if means(tool.name)]
    if not meant:
        if name != "block":
            hint = did_you_mean(rule.tool, [tool.name for tool in tools])
            yield f"{quoted(rule.tool)} matches none of the agent's tools{hint}"
        return
    if rule.when is None or any(tool.arguments is None for tool in meant):
        return
    from agentcop_policies.judging.conditions import compile_condition

    read = compile_condition(rule.when, folder=policy.folder).arguments or frozenset()
    known = sorted(set().union(*(tool.arguments or () for tool in meant)))
    for argument in sorted(read.difference(known)):
        hint = did_you_mean(argument, known) or f"; it takes {', '.join(known) or 'none'}"
        yield f"reads args.{argument}, which {quoted(rule.tool)} does not take{hint}"


def _tool(item: object) -> Tool:
    if isinstance(item, str):
        return Tool(name=canonical_name(item), arguments=None)
    if isinstance(item, Mapping):
        return _from_schema(item)
    name = getattr(item, "name", None) or getattr(item, "__name__", None)
    if not isinstance(name, str):
        message = f"{type(item).__name__} is no tool: it has no name"
        raise UnreadableTools(message)
    fields = getattr(getattr(item, "args_schema", None), "model_fields", None)
    if isinstance(fields, Mapping):
        return Tool(name=canonical_name(name), arguments=frozenset(map(str, fields)))
    body = getattr(item, "func", item)
    return Tool(name=canonical_name(name), arguments=_parameters(body) if callable(body) else None)


def _from_schema(schema: Mapping[str, object]) -> Tool:
    inner = schema.get("function", schema)
    name = inner.get("name") if isinstance(inner, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(name, str):
        message = "a tool's schema needs a name"
        raise UnreadableTools(message)
    for key in ("parameters", "inputSchema", "input_schema"):
        parameters = inner.get(key)
        if isinstance(parameters, Mapping):
            properties = parameters.get("properties", {})
            closed = isinstance(properties, Mapping) and parameters.get("additionalProperties") in (None, False)
            names = frozenset(map(str, properties)) if closed and isinstance(properties, Mapping) else None
            return Tool(name=canonical_name(name), arguments=names)
    return Tool(name=canonical_name(name), arguments=None)


def _parameters(body: Callable[..., object]) -> frozenset[str] | None:
    try:
        parameters = inspect.signature(body).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)
