"""One function while it is being looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from agentcop_scanner.engine.values.refs import ClosureRef
from agentcop_scanner.engine.values.state import State
from agentcop_scanner.engine.values.summary import Hit, Hits, Summary

if TYPE_CHECKING:
    import ast
    from collections.abc import Sequence

    from agentcop_scanner.engine.tables import Tables
    from agentcop_scanner.engine.unit import Unit
    from agentcop_scanner.engine.values.refs import FunctionRef, Ref
    from agentcop_scanner.engine.values.value import Facts, Origin, Taint, Value
    from agentcop_scanner.rule import TaintRule

MAX_STEPS = 60_000
"""Expressions and statements that are looked at for one function; the rest of it is not, which is said in a note."""
MAX_INLINE = 3
"""How deep functions inside functions are followed into each other."""


class World(Protocol):
    """The rest of the program, as a function's interpretation asks for it."""

    tables: Tables

    def evaluate(self, frame: Frame, node: ast.expr | None) -> Value:
        """What an expression is worth."""

    def execute(self, frame: Frame, body: Sequence[ast.stmt]) -> None:
        """Runs through statements."""

    def summary(self, ref: FunctionRef, level: int) -> Summary | None:
        """What a function does; None if that is not known."""

    def lookup(self, unit: Unit, dotted: str) -> Ref | None:
        """The function or class of the scanned tree that a dotted name means in a module."""

    def starred(self, unit: Unit, name: str) -> Ref | None:
        """What a bare name means that came with `from module import *`."""

    def attribute(self, unit: Unit, qualname: str, name: str) -> Value | None:
        """What an attribute of the objects of a class holds; None if the class does not say."""

    def note(self, text: str) -> None:
        """Tells the reader of the report something."""


class Returned(NamedTuple):
    """One way out of a function."""

    value: Value
    facts: Facts
    true: Facts | None
    """What is known besides if the value is true; None: it never is, on this way."""
    false: Facts | None
    opted_in: bool = False
    """Whether the operator had to ask for this way: what is not checked on it is their choice."""


class Frame:
    """One function, or the code of a module, while it is being looked at."""

    def __init__(self, world: World, unit: Unit, function: str, level: int) -> None:
        self.world = world
        self.unit = unit
        self.module = unit.module
        self.function = function
        """Qualified name of the outermost function; "" for the code of the module."""
        self.level = level
        """How many files further calls may be followed."""
        self.state = State()
        self.returned: list[Returned] = []
        self.hits = Hits()
        self.self_class = unit.class_of(function)
        self.steps = 0
        self.inline = 0
        self.quiet = 0
        """Over 0 inside text that is shown to people: what looks like a query there is none."""
        self.loops = 0
        self.left: list[list[State]] = []
        """Per loop around here, the states in which it was left or gone on with."""
        self.closures: list[ClosureRef] = []
        """Functions and lambdas inside this one, each with the names around it."""
        self.inner: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
        """Functions inside this one, to be looked at for themselves."""

    def closure(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> ClosureRef:
        """A function or lambda that stands here, with the names around it."""
        made = ClosureRef(node=node, names=self.state.names)
        self.closures.append(made)
        return made

    def end(self) -> None:
        """Lets go of the names that closures hold: they hold the closures too, and would stay for the collector."""
        for made in self.closures:
            made.names.clear()

    def spend(self) -> bool:
        """Whether there is any budget left."""
        self.steps += 1
        if self.steps == MAX_STEPS:
            self.world.note(
                f"{self.module.path}: {self.function or 'the module'} is too long to be followed to its end"
            )
        return self.steps < MAX_STEPS

    def value(self, node: ast.expr | None) -> Value:
        """What an expression is worth here."""
        return self.world.evaluate(self, node)

    def hit(self, rule: TaintRule, node: ast.AST, sink: str, origin: Origin, taint: Taint) -> None:
        """Notes that text arrives where a rule says it is dangerous, unless it can do nothing there any more."""
        marks = self.state.marks(origin, taint)
        if rule.danger in marks or not self.state.live:
            return
        self.hits.add(
            Hit(
                rule=rule,
                sink=sink,
                module=self.module,
                node=node,
                function=self.function,
                origin=origin,
                marks=marks,
                joined=taint.joined,
                pieced=taint.joined,
                trail=taint.trail,
                opted_in=self.state.opted_in,
            )
        )

    def arrive(self, rule: TaintRule, node: ast.AST, sink: str, value: Value) -> None:
        """Notes that a value arrives where a rule says it is dangerous."""
        for origin, taint in value.taints.items():
            self.hit(rule, node, sink, origin, taint)
