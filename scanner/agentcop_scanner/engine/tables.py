"""What the rules say of calls, by name: where text is dangerous, and what makes it harmless."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agentcop_scanner.engine.values.value import NONE, Marks, cleared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentcop_scanner.rule import Sink, TaintRule


@dataclass(slots=True)
class Tables:
    """Made once from the rules."""

    rules: dict[str, TaintRule] = field(default_factory=dict)
    sinks: dict[str, list[tuple[TaintRule, Sink]]] = field(default_factory=dict)
    """By dotted name, or `.method`."""
    cleaners: dict[str, Marks] = field(default_factory=dict)
    followers: dict[str, list[TaintRule]] = field(default_factory=dict)
    """By the id of the rule that owns the sinks: all that share them, the owner last."""
    by_word: dict[str, list[tuple[str, Sink]]] = field(default_factory=dict)
    """By the last part of their names, all sinks with their full names."""


def tables(rules: Iterable[TaintRule]) -> Tables:
    """The tables of these rules."""
    made = Tables()
    for rule in rules:
        made.rules[rule.id] = rule
        for sink in rule.sinks:
            for name in sink.calls:
                made.sinks.setdefault(name, []).append((rule, sink))
                made.by_word.setdefault(name.rpartition(".")[2], []).append((name, sink))
        for name in rule.cleaners:
            made.cleaners[name] = made.cleaners.get(name, NONE) | cleared(rule.danger)
    for rule in made.rules.values():
        made.followers.setdefault(rule.shares or rule.id, []).append(rule)
    for owner, group in made.followers.items():
        group.sort(key=lambda rule: (not rule.weak, rule.id == owner, rule.id))
    return made
