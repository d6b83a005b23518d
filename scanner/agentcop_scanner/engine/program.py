"""The scanned tree as far as it is asked for: its modules, what names in them mean, what their functions do.

What is found in a file depends on that file and on those it imports, `HOPS` files far, and on nothing else: neither on
the order in which files are looked at nor on which process looks. That is why summaries have a level: those of level 0
follow no call into another file, those of level 1 use level 0 there, and so on.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling import sinks
from agentcop_scanner.engine.calling.calls import made_by
from agentcop_scanner.engine.flow import expressions, statements
from agentcop_scanner.engine.flow.run import run
from agentcop_scanner.engine.unit import Unit
from agentcop_scanner.engine.values.refs import ClassRef, FunctionRef, InstanceRef, Ref
from agentcop_scanner.engine.values.value import CONSTANT, Origin, Taint, Value, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentcop_scanner.engine.flow.frame import Frame
    from agentcop_scanner.engine.tables import Tables
    from agentcop_scanner.engine.values.summary import Summary
    from agentcop_scanner.source.module import Module

HOPS = 2
_MAX_ROUNDS = 4
_MAX_ALIASES = 5
_MAX_STARS = 8
_MAX_NESTED = 4
"""How many functions may be looked at inside one another."""


class Program:
    """Modules are loaded when they are first asked for, functions summarised when they are first called."""

    def __init__(
        self, tables: Tables, load: Callable[[str], Module | None], canonical: Callable[[str], str] = str
    ) -> None:
        """`load` gives the module of the scanned tree that has a dotted name, or None.

        `canonical` gives the one name of a module that may be known by several.
        """
        self.tables = tables
        self._load = load
        self._canonical = canonical
        self._units: dict[str, Unit | None] = {}
        self._made: list[Unit] = []
        self._summaries: dict[tuple[int, int, str], Summary] = {}
        self._lookups: dict[tuple[int, str], Ref | None] = {}
        self._attributes: dict[tuple[int, str, str], Value | None] = {}
        self._done: set[tuple[int, int, int]] = set()
        self._leaves: dict[int, dict[str, bool]] = {}
        self._interest: dict[tuple[int, int], dict[str, bool]] = {}
        self._depth = 0
        self.notes: dict[str, None] = {}

    def evaluate(self, frame: Frame, node: ast.expr | None) -> Value:
        """What an expression is worth."""
        return expressions.evaluate(frame, node)

    def execute(self, frame: Frame, body: Sequence[ast.stmt]) -> None:
        """Runs through statements."""
        statements.execute(frame, body)

    def note(self, text: str) -> None:
        """Tells the reader of the report something, once."""
        self.notes[text] = None

    def unit(self, module: Module) -> Unit:
        """The unit of a module that is looked at for itself."""
        known = self._units.get(module.name) if module.name else None
        if known is not None and known.module is module:
            return known
        made = self._unit(module)
        if module.name and known is None:
            self._units[module.name] = made
        return made

    def _unit(self, module: Module) -> Unit:
        made = Unit(module)
        self._made.append(made)
        return made

    def forget(self) -> None:
        """Lets go of all that is known, circles included, so that no collector has to look for it. Not used after."""
        for unit in self._made:
            unit.names.clear()
        for known in (self._units, self._summaries, self._lookups, self._attributes, self._leaves, self._interest):
            known.clear()
        self._made.clear()

    def loaded(self, dotted: str) -> Module | None:
        """The module of this name, if it was loaded already."""
        known = self._units.get(dotted)
        return known.module if known else None

    def _named(self, dotted: str) -> Unit | None:
        if dotted in self._units:
            return self._units[dotted]
        name = self._canonical(dotted)
        if name != dotted:
            self._units[dotted] = self._named(name)
        else:
            self._units[dotted] = None
            module = self._load(dotted)
            if module is not None:
                self._units[dotted] = self._unit(module)
        return self._units[dotted]

    def lookup(self, unit: Unit, dotted: str) -> Ref | None:
        """The function or class of the scanned tree that a dotted name means in a module."""
        if dotted.partition(".")[0] not in unit.heads:
            return None
        key = (unit.key, dotted)
        if key not in self._lookups:
            self._lookups[key] = None  # an import that goes in a circle ends here
            self._lookups[key] = self._found(unit, dotted, 0)
        return self._lookups[key]

    def _found(self, unit: Unit, dotted: str, depth: int) -> Ref | None:
        own = self._in_unit(unit, dotted)
        if own is not None or depth > _MAX_ALIASES or "." not in dotted:
            return own
        head = dotted
        while "." in head:
            head, _, _ = head.rpartition(".")
            other = self._named(head)
            if other is None:
                continue
            rest = dotted[len(head) + 1 :]
            found = self._in_unit(other, rest)
            if found is not None:
                return found
            first, dot, tail = rest.partition(".")
            renamed = other.module.imports.get(first)
            if renamed is not None and renamed != dotted:
                return self._found(other, f"{renamed}{dot}{tail}", depth + 1)
            for star in other.module.starred[:_MAX_STARS]:
                found = self._found(other, f"{star}.{rest}", depth + 1)
                if found is not None:
                    return found
            return None
        return None

    @staticmethod
    def _in_unit(unit: Unit, name: str) -> Ref | None:
        if name in unit.functions:
            return FunctionRef(unit=unit, scope=unit.functions[name])
        if name in unit.module.scopes.classes:
            return ClassRef(unit=unit, qualname=name)
        owner, _, method = name.rpartition(".")
        if owner in unit.module.scopes.classes:
            scope = unit.method(owner, method)
            return FunctionRef(unit=unit, scope=scope) if scope else None
        return None

    def summary(self, ref: FunctionRef, level: int) -> Summary | None:
        """What a function does, followed `level` files further."""
        unit, name = ref.unit, ref.scope.qualname
        if name not in unit.component_of:
            return None
        level = self._needed(unit, name, level)
        key = (unit.key, level, name)
        if key not in self._summaries and (unit.key, level, unit.component_of[name]) not in self._done:
            self.settle(unit, name, level)
        return self._summaries.get(key)

    def _needed(self, unit: Unit, name: str, level: int) -> int:
        """The level at which a function has to be looked at: one that never leaves its file is the same at each."""
        return level if level == 0 or self._leaving(unit).get(name, True) else 0

    def _leaving(self, unit: Unit) -> dict[str, bool]:
        """Per function, whether it or what it calls may call into another file of the tree."""
        known = self._leaves.get(unit.key)
        if known is not None:
            return known
        found: dict[str, bool] = {}
        self._leaves[unit.key] = found
        refs = [self.lookup(unit, dotted) for dotted in unit.module.imports.values()]
        classes = [ref for ref in refs if isinstance(ref, ClassRef) and ref.unit is not unit]
        methods = {name for ref in classes for name in ref.unit.by_method}
        for group in unit.order:
            verdict = any(
                self._leaves_file(unit, name, methods) or any(found.get(target) for target in unit.edges[name])
                for name in group
            )
            found.update(dict.fromkeys(group, verdict))
        return found

    def _leaves_file(self, unit: Unit, name: str, methods: set[str]) -> bool:
        for call in unit.calls.get(name, ()):
            if isinstance(call.func, ast.Attribute) and call.func.attr in methods:
                return True
            dotted = unit.module.dotted(call)
            ref = self.lookup(unit, dotted) if "." in dotted else self.starred(unit, dotted)
            if isinstance(ref, FunctionRef | ClassRef) and ref.unit is not unit:
                return True
        return False

    def summarised(self, unit: Unit, name: str, level: int) -> Summary | None:
        """The summary of a function that was settled."""
        return self._summaries.get((unit.key, self._needed(unit, name, level), name))

    def settle(self, unit: Unit, name: str, level: int) -> None:
        """Summarises a function, and with it those that call it and that it calls.

        What it calls besides is summarised when it is asked for; from a certain depth on beforehand, from the bottom
        up, so that a chain of calls, however long, needs no more than a few of the interpreter's own.
        """
        if self._depth < _MAX_NESTED:
            self._settle_at(unit, unit.component_of[name], level)
            return
        for at in sorted({unit.component_of[other] for other in unit.reachable(name)}):
            self._settle_at(unit, at, level)

    def _settle_at(self, unit: Unit, at: int, level: int) -> None:
        group = unit.order[at]
        own = self._needed(unit, group[0], level)
        if (unit.key, own, at) in self._done:
            return
        self._done.add((unit.key, own, at))
        self._depth += 1
        try:
            self._settle_group(unit, group, own)
        finally:
            self._depth -= 1

    def _settle_group(self, unit: Unit, group: list[str], level: int) -> None:
        """Summarises functions that call each other, again and again until nothing changes."""
        alone = len(group) == 1 and group[0] not in unit.edges.get(group[0], ())
        for _ in range(1 if alone else _MAX_ROUNDS):
            changed = False
            for member in group:
                made = run(self, unit, member, level)
                key = (unit.key, level, member)
                changed = changed or key not in self._summaries or not made.same_as(self._summaries[key])
                self._summaries[key] = made
            if not changed:
                break

    def attribute(self, unit: Unit, qualname: str, name: str) -> Value | None:
        """What an attribute of the objects of a class holds; None if the class does not say."""
        key = (unit.key, qualname, name)
        if key not in self._attributes:
            self._attributes[key] = None
            self._attributes[key] = self._attribute(unit, qualname, name)
        return self._attributes[key]

    def _attribute(self, unit: Unit, qualname: str, name: str) -> Value | None:
        entries = unit.attributes.get(qualname, {}).get(name)
        if entries is None:
            for base in unit.module.bases(qualname):
                ref = self.lookup(unit, base)
                if isinstance(ref, ClassRef) and (ref.unit is not unit or ref.qualname != qualname):
                    return self.attribute(ref.unit, ref.qualname, name)
            return None
        consts = [unit.module.constant(value) for value, _, _ in entries]
        if consts and all(const is not None and type(const) is type(consts[0]) for const in consts):
            return literal(consts[0] if len(consts) == 1 else None) if len(consts) == 1 else CONSTANT
        taints = {Origin("self", f"self.{name}"): Taint()}
        for value, annotation, function in entries:
            is_a, ref = self._class_of(unit, value, annotation, function)
            if is_a or ref:
                return Value(taints, is_a=is_a, ref=ref)
        return Value(taints)

    def _class_of(
        self, unit: Unit, value: ast.expr | None, annotation: ast.expr | None, function: str
    ) -> tuple[str, Ref | None]:
        """The class of what is assigned, by how it is made or what it is annotated with."""
        dotted = unit.annotation(annotation)
        if isinstance(value, ast.Await):
            value = value.value
        if isinstance(value, ast.BoolOp):
            value = next((part for part in value.values if isinstance(part, ast.Call)), value)
        if isinstance(value, ast.IfExp) and isinstance(value.body, ast.Call):
            value = value.body
        if isinstance(value, ast.Call):
            called = unit.module.resolve(value.func)
            while called == "" and isinstance(value.func, ast.Attribute) and isinstance(value.func.value, ast.Call):
                value = value.func.value  # Path(x).resolve()
                called = unit.module.resolve(value.func)
            made = made_by(called, self.lookup(unit, called) if called else None)
            dotted = made or dotted
        elif isinstance(value, ast.Name) and function and not dotted:
            scope = unit.functions.get(function)
            args = scope.node.args if scope and not isinstance(scope.node, ast.ClassDef) else None
            for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs] if args else []:
                if arg.arg == value.id:
                    dotted = unit.annotation(arg.annotation)
        found = self.lookup(unit, dotted) if dotted else None
        if isinstance(found, ClassRef):
            return found.qualname, InstanceRef(unit=found.unit, qualname=found.qualname)
        return dotted, None

    def interesting(self, unit: Unit, level: int) -> dict[str, bool]:
        """Per function of a module, whether text can arrive where it is dangerous, in it or in what it calls."""
        key = (unit.key, level)
        if key not in self._interest:
            self._interest[key] = {}
            self._interest[key] = self._interested(unit, level)
        return self._interest[key]

    def _interested(self, unit: Unit, level: int) -> dict[str, bool]:
        found: dict[str, bool] = {}
        methods = self._foreign_methods(unit, level)
        for group in unit.order:
            verdict = any(
                self._direct(unit, name, level, methods) or any(found.get(target) for target in unit.edges[name])
                for name in group
            )
            for name in group:
                found[name] = verdict
        return found

    def _foreign_methods(self, unit: Unit, level: int) -> set[str]:
        """Methods of imported classes of the tree, by their bare names, in which text can arrive."""
        found: set[str] = set()
        for dotted in unit.module.imports.values() if level > 0 else ():
            ref = self.lookup(unit, dotted)
            if not isinstance(ref, ClassRef) or ref.unit is unit:
                continue
            worth = self.interesting(ref.unit, level - 1)
            found |= {
                name.rpartition(".")[2] for names in ref.unit.by_method.values() for name in names if worth.get(name)
            }
        return found

    def _direct(self, unit: Unit, name: str, level: int, methods: set[str]) -> bool:
        for call in unit.calls.get(name, ()):
            if sinks.may_be(unit, call, self.tables.by_word):
                return True
            if isinstance(call.func, ast.Attribute) and call.func.attr in methods:
                return True
            if level > 0 and self._calls_into(unit, unit.module.dotted(call), level):
                return True
        return name in unit.builds_queries

    def _calls_into(self, unit: Unit, dotted: str, level: int) -> bool:
        """Whether a dotted name means a function of another file in which text can arrive."""
        ref = self.lookup(unit, dotted) if "." in dotted else self.starred(unit, dotted)
        if not isinstance(ref, FunctionRef) or ref.unit is unit:
            return False
        return bool(self.interesting(ref.unit, level - 1).get(ref.scope.qualname))

    def starred(self, unit: Unit, name: str) -> Ref | None:
        """What a bare name means that came with `from module import *`."""
        found = (self.lookup(unit, f"{module}.{name}") for module in unit.module.starred[:_MAX_STARS] if name)
        return next((ref for ref in found if ref is not None), None)
