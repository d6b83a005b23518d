"""What is known at one point of a function: its names, and what checks have shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.engine.values.value import NONE, Facts, Marks, Origin, Taint, Taints, Value, merge

if TYPE_CHECKING:
    from collections.abc import Iterable


class State:
    """Names and facts on one path through a function."""

    __slots__ = ("facts", "live", "names", "opted_in")

    def __init__(self, names: dict[str, Value] | None = None, facts: Facts | None = None) -> None:
        self.names: dict[str, Value] = names if names is not None else {}
        self.facts: Facts = facts if facts is not None else {}
        self.live = True
        """Whether the path gets here."""
        self.opted_in = False
        """Whether the caller had to say that it wants what is dangerous."""

    def copy(self) -> State:
        """Another path that starts here."""
        made = State(dict(self.names), dict(self.facts))
        made.live, made.opted_in = self.live, self.opted_in
        return made

    def become(self, other: State) -> None:
        """Takes over everything of another state."""
        self.names, self.facts, self.live, self.opted_in = other.names, other.facts, other.live, other.opted_in

    def learn(self, facts: Facts) -> None:
        """Adds what a check has shown."""
        for origin, marks in facts.items():
            self.facts[origin] = self.facts.get(origin, NONE) | marks

    def marks(self, origin: Origin, taint: Taint) -> Marks:
        """All that is known of the text of an origin, as it is in a value here."""
        facts = self.facts
        if not facts:
            return taint.marks
        known = facts.get(origin)
        marks = taint.marks if known is None else taint.marks | known
        if origin.fields:
            for one in origin.all_above:
                above = facts.get(one)
                if above is not None:
                    marks |= above
        return marks

    def _knows(self, origin: Origin) -> bool:
        facts = self.facts
        return origin in facts or (origin.fields != "" and any(one in facts for one in origin.all_above))

    def settled(self, value: Value) -> Value:
        """A value with what is known here put into it, so that it survives where this path meets another."""
        if not self.facts or not value.taints:
            return value
        taints: Taints | None = None
        for origin, taint in value.taints.items():
            if not self._knows(origin):
                continue
            marks = self.marks(origin, taint)
            if marks != taint.marks:
                taints = dict(value.taints) if taints is None else taints
                taints[origin] = Taint(marks, taint.joined, taint.trail)
        if taints is None:
            return value
        return Value(
            taints,
            is_a=value.is_a,
            const=value.const,
            text=value.text,
            items=value.items,
            fields=value.fields,
            ref=value.ref,
            facts=value.facts,
        )


def meet(first: Facts, second: Facts) -> Facts:
    """What both paths have shown."""
    if not first or not second:
        return {}
    return {origin: marks & second[origin] for origin, marks in first.items() if origin in second}


def joined(states: Iterable[State]) -> State:
    """Where paths meet: a name is any one of its values, and only what all have shown is known."""
    live = [state for state in states if state.live]
    if not live:
        dead = State()
        dead.live = False
        return dead
    made = live[0] if len(live) > 1 else live[0].copy()
    for state in live[1:]:
        made = _both(made, state)
    return made


def _both(first: State, second: State) -> State:
    """Where two paths meet. What a name has on both stays as it is: what both know of it stays known."""
    others = second.names
    names = dict(first.names)
    for name, value in first.names.items():
        other = others.get(name)
        if other is value:
            continue
        settled = first.settled(value)
        names[name] = settled if other is None else merge((settled, second.settled(other)))
    for name, value in others.items():
        if name not in names:
            names[name] = second.settled(value)
    made = State(names, meet(first.facts, second.facts))
    made.opted_in = first.opted_in and second.opted_in
    return made
