"""What a function does with its parameters, as its callers need to know it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agentcop_scanner.engine.values.value import CONSTANT, Facts, Marks, Origin, Taint, Value, both
from agentcop_scanner.finding import Step

if TYPE_CHECKING:
    import ast

    from agentcop_scanner.rule import TaintRule
    from agentcop_scanner.source.module import Module

_MAX_FIELDS = 4
MAX_HITS = 400
"""Of one function; more are counted and reported as a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Text of one origin that arrives at one dangerous call."""

    rule: TaintRule
    """The one whose sink it is."""
    sink: str
    """The call, as it is shown: `open(…)`."""
    module: Module
    node: ast.AST
    function: str
    """Outermost function that the node is in."""
    origin: Origin
    marks: Marks
    joined: bool
    pieced: bool = False
    """Whether it was put after something else in the function of the node, and not by a caller."""
    trail: tuple[Step, ...] = ()
    opted_in: bool = False
    arrival: Step | None = None
    """Where the dangerous call is, if `node` is a call that leads to it; None: it is `node`."""
    via: ast.AST | None = None
    """The call, in the function whose origin it is, through which it gets to another function that is public."""

    @property
    def end(self) -> Step:
        """The dangerous call itself, wherever the hit is counted."""
        return self.arrival or Step(path=self.module.path, place=self.module.place(self.node), what=self.sink)

    @property
    def key(self) -> tuple[object, ...]:
        """Hits with the same key are one."""
        return (self.rule.id, self.module.path, id(self.node), self.origin)


class Hits:
    """The hits of a function, each once."""

    def __init__(self) -> None:
        self.found: dict[tuple[object, ...], Hit] = {}
        self.dropped = 0
        self._fields: dict[tuple[object, ...], int] = {}

    def add(self, hit: Hit) -> None:
        """Adds a hit, or folds it into the same one that came another way: what both ways cleared is cleared."""
        known = self.found.get(hit.key)
        if known is None and hit.origin.fields:
            root = (hit.rule.id, id(hit.node), hit.origin.root)
            self._fields[root] = self._fields.get(root, 0) + 1
            if self._fields[root] > _MAX_FIELDS:  # many fields of one parameter: the parameter
                hit = replace(hit, origin=hit.origin.root)
                known = self.found.get(hit.key)
        if known is None:
            if len(self.found) >= MAX_HITS:
                self.dropped += 1
                return
            self.found[hit.key] = hit
            return
        taint = both(Taint(known.marks, known.joined, known.trail), Taint(hit.marks, hit.joined, hit.trail))
        if taint.marks == known.marks and taint.joined == known.joined:
            return
        self.found[hit.key] = replace(
            known,
            marks=taint.marks,
            joined=taint.joined,
            pieced=known.pieced or hit.pieced,
            trail=taint.trail,
            opted_in=known.opted_in and hit.opted_in,
        )


@dataclass(slots=True, kw_only=True)
class Summary:
    """A function as seen from outside. Origins are its own parameters, or what is no parameter."""

    returned: Value = CONSTANT
    hits: tuple[Hit, ...] = ()
    on_exit: Facts = field(default_factory=dict)
    """What is known of its parameters wherever it returns at all."""
    if_true: Facts = field(default_factory=dict)
    """Where it returns something true; where it returns a tuple, where the first of it is true."""
    if_false: Facts = field(default_factory=dict)
    dropped: int = 0
    """Hits over the limit."""

    def same_as(self, other: Summary) -> bool:
        """Whether callers would see no difference."""
        return (
            self.returned.taints == other.returned.taints
            and self.on_exit == other.on_exit
            and self.if_true == other.if_true
            and self.if_false == other.if_false
            and {(hit.key, hit.marks, hit.joined) for hit in self.hits}
            == {(hit.key, hit.marks, hit.joined) for hit in other.hits}
        )
