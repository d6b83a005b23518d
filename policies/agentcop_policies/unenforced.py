"""What a policy demands and this build cannot give, and which calls that covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcop_policies.build import CALLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_policies.models import GatePolicy, PolicyDocument

_EVERY = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unenforced:
    """A demand that cannot be met here: the calls it covers are refused where they would run or go to a person."""

    rule: str
    """The demanding key, as it stands on the verdict: `gate.flows[0]`, `gate.allow[2]`."""
    what: str
    """The subject of "… is not in this build"."""
    tools: tuple[str, ...]
    """The tools it covers: names and globs, as in a rule."""
    only_asked: bool = False
    """It covers only calls that would go to a person."""


def unenforced(document: PolicyDocument) -> tuple[Unenforced, ...]:
    """Every demand of `document` that this build does not meet."""
    return tuple(demand for key, demand in _demands(document) if key in CALLS)


def _demands(document: PolicyDocument) -> Iterator[tuple[str, Unenforced]]:
    """All demands with their key in `build.CALLS`; those that are met are left out by the caller."""
    yield from _in_gate(document.gate)
    if document.approvals.required > 1:
        yield _demand("approvals.required", "approvals.required", _EVERY, only_asked=True)


def _in_gate(gate: GatePolicy) -> Iterator[tuple[str, Unenforced]]:
    for index, flow in enumerate(gate.flows):
        yield _demand("gate.flows", f"gate.flows[{index}]", (flow.after, flow.then))
    for index, limit in enumerate(gate.limits):
        yield _demand("gate.limits", f"gate.limits[{index}]", (limit.tool,))
    if gate.taint is not None:
        tools = (*gate.taint.sources, *(sink.tool for sink in gate.taint.sinks))
        yield _demand("gate.taint", "gate.taint", tools)
    if gate.results is not None:
        yield _demand("gate.results", "gate.results", _EVERY)
    for name, rules in (("block", gate.block), ("require_approval", gate.require_approval), ("allow", gate.allow)):
        for index, rule in enumerate(rules):
            if rule.resolve:
                yield _demand("resolve", f"gate.{name}[{index}]", (rule.tool,))


def _demand(key: str, rule: str, tools: tuple[str, ...], *, only_asked: bool = False) -> tuple[str, Unenforced]:
    return key, Unenforced(rule=rule, what=CALLS.get(key, ""), tools=tools, only_asked=only_asked)
