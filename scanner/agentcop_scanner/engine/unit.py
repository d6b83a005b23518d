"""One module as the engine sees it: its functions, who calls whom, what the attributes of its classes hold."""

from __future__ import annotations

import ast
import itertools
import re
from functools import cached_property
from typing import TYPE_CHECKING

from agentcop_scanner.engine.cycles import components
from agentcop_scanner.source.python.nodes import children

if TYPE_CHECKING:
    from agentcop_scanner.engine.values.value import Value
    from agentcop_scanner.source.module import Module
    from agentcop_scanner.source.python.scopes import Scope

_QUERY = re.compile(
    r"\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|COPY|MATCH|WHERE|MERGE|TRUNCATE|ALTER|PRAGMA|json_extract"
    r"|select\s[^\n]{0,200}\sfrom|delete from|insert into)\b[^\n]*\S"
)
_QUERY_WORDS = (
    *("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "COPY", "MATCH", "WHERE", "MERGE", "TRUNCATE", "ALTER"),
    *("PRAGMA", "json_extract", "select", "delete from", "insert into"),
)
_KEYS = itertools.count()
MODULE = ""
"""Stands for the code of a module that is in no function."""

_MAX_SAME_NAME = 4
_WRAPPERS = frozenset({"Optional", "Annotated", "Final", "ClassVar", "Union", "Required", "NotRequired", "Mapped"})


class Unit:
    """A module and its index. Functions here are the outer ones and methods; those inside belong to them."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.key = next(_KEYS)
        """Tells units apart for as long as the process lives."""
        self.names: dict[str, Value] = {}
        """What names of the module are, once that was asked for."""

    @cached_property
    def functions(self) -> dict[str, Scope]:
        """Functions and methods that stand in no other function."""
        return {name: scope for name, scope in self.module.scopes.functions.items() if self._outer(scope) is scope}

    def _outer(self, scope: Scope | None) -> Scope | None:
        """The outermost function around a scope; None if there is none."""
        outer = None
        while scope is not None:
            if scope.is_function:
                outer = scope
            scope = scope.parent
        return outer

    @cached_property
    def _outer_names(self) -> dict[int, str]:
        names: dict[int, str] = {}
        for scope in self.module.scopes.all:
            outer = self._outer(scope)
            names[id(scope)] = outer.qualname if outer else MODULE
        return names

    @cached_property
    def heads(self) -> frozenset[str]:
        """The first parts of dotted names that can mean something of the tree."""
        imported = (name.partition(".")[0] for name in self.module.imports.values())
        starred = (name.partition(".")[0] for name in self.module.starred)
        own = (name.partition(".")[0] for name in (*self.module.scopes.classes, *self.functions))
        return frozenset((*imported, *starred, *own))

    @cached_property
    def packages(self) -> frozenset[str]:
        """The top names of all that is imported."""
        return frozenset(name.partition(".")[0] for name in self.module.imports.values())

    @cached_property
    def calls(self) -> dict[str, list[ast.Call]]:
        """The calls in each function, those inside inner functions included."""
        found: dict[str, list[ast.Call]] = {}
        at, names = self.module.scopes.at, self._outer_names
        for call in self.module.nodes.of(ast.Call):
            scope = at(call.lineno)
            found.setdefault(names[id(scope)] if scope else MODULE, []).append(call)
        return found

    @cached_property
    def by_method(self) -> dict[str, list[str]]:
        """Methods by their bare name."""
        found: dict[str, list[str]] = {}
        for name, scope in self.functions.items():
            if scope.owner is not None:
                found.setdefault(scope.node.name, []).append(name)
        return found

    def class_of(self, function: str) -> str:
        """The class whose method a function is; "" if it is none."""
        scope = self.functions.get(function)
        return scope.owner.qualname if scope and scope.owner else ""

    def method(self, qualname: str, name: str) -> Scope | None:
        """The method of a class or of its bases in this module."""
        seen: set[str] = set()
        todo = [qualname]
        while todo:
            current = todo.pop(0)
            if current in seen:
                continue
            seen.add(current)
            found = self.functions.get(f"{current}.{name}")
            if found is not None:
                return found
            todo += [base for base in self.module.bases(current) if base in self.module.scopes.classes]
        return None

    def local_targets(self, function: str, call: ast.Call) -> list[str]:
        """The functions of this module that a call may mean, by its spelling."""
        func = call.func
        if isinstance(func, ast.Name):
            if func.id in self.functions:
                return [func.id]
            if func.id in self.module.scopes.classes:
                made = self.method(func.id, "__init__")
                return [made.qualname] if made else []
            return []
        if not isinstance(func, ast.Attribute):
            return []
        owner = self.class_of(function)
        if owner and isinstance(func.value, ast.Name) and func.value.id in {"self", "cls"}:
            found = self.method(owner, func.attr)
            return [found.qualname] if found else []
        same = self.by_method.get(func.attr, [])
        return same if len(same) <= _MAX_SAME_NAME else []

    @cached_property
    def builds_queries(self) -> set[str]:
        """Functions with words of a query language in their text."""
        found: set[str] = set()
        text, at, line = self.module.text, 0, 1
        if not any(word in text for word in _QUERY_WORDS):
            return found
        for match in _QUERY.finditer(text):
            line += text.count("\n", at, match.start())
            at = match.start()
            scope = self.module.scopes.at(line)
            found.add(self._outer_names[id(scope)] if scope else MODULE)
        return found

    @cached_property
    def edges(self) -> dict[str, list[str]]:
        """Who calls whom inside the module."""
        found: dict[str, list[str]] = {}
        for function in (*self.functions, MODULE):
            targets = [name for call in self.calls.get(function, ()) for name in self.local_targets(function, call)]
            found[function] = list(dict.fromkeys(targets))
        return found

    @cached_property
    def order(self) -> list[list[str]]:
        """All functions, each after those it calls; those that call each other are together."""
        return components((*self.functions, MODULE), self.edges)

    @cached_property
    def component_of(self) -> dict[str, int]:
        """The place of each function in `order`."""
        return {name: at for at, group in enumerate(self.order) for name in group}

    def reachable(self, function: str) -> set[str]:
        """A function and all that it calls, directly or not, inside the module."""
        seen = {function}
        todo = [function]
        while todo:
            for name in self.edges.get(todo.pop(), ()):
                if name not in seen:
                    seen.add(name)
                    todo.append(name)
        return seen

    @cached_property
    def attributes(self) -> dict[str, dict[str, list[tuple[ast.expr | None, ast.expr | None, str]]]]:
        """Per class and attribute: what is assigned to it, the annotation, and in which function."""
        found: dict[str, dict[str, list[tuple[ast.expr | None, ast.expr | None, str]]]] = {}
        for qualname, scope in self.module.scopes.classes.items():
            if isinstance(scope.node, ast.ClassDef):
                self._class_body(found.setdefault(qualname, {}), scope.node)
        for name, scope in self.functions.items():
            if scope.owner is not None:
                self._method_body(found.setdefault(scope.owner.qualname, {}), scope.node, name)
        return found

    @staticmethod
    def _class_body(into: dict[str, list[tuple[ast.expr | None, ast.expr | None, str]]], node: ast.ClassDef) -> None:
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                into.setdefault(statement.target.id, []).append((statement.value, statement.annotation, MODULE))
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        into.setdefault(target.id, []).append((statement.value, None, MODULE))

    @staticmethod
    def _method_body(
        into: dict[str, list[tuple[ast.expr | None, ast.expr | None, str]]], node: ast.AST, name: str
    ) -> None:
        todo = children(node)
        while todo:
            current = todo.pop()
            if isinstance(current, ast.Assign | ast.AnnAssign):
                targets = current.targets if isinstance(current, ast.Assign) else [current.target]
                annotation = current.annotation if isinstance(current, ast.AnnAssign) else None
                for target in targets:
                    if (
                        isinstance(target, ast.Attribute)
                        and isinstance(target.value, ast.Name)
                        and target.value.id == "self"
                    ):
                        into.setdefault(target.attr, []).append((current.value, annotation, name))
            elif isinstance(current, ast.stmt | ast.ExceptHandler | ast.match_case):
                todo += children(current)

    def annotation(self, node: ast.expr | None, depth: int = 0) -> str:  # noqa: PLR0911  # one way out for each spelling
        """The dotted name of the class that an annotation gives, without `None` and wrappers; "" if there is none."""
        if node is None or depth > 10:  # noqa: PLR2004  # deeper than any annotation that is read
            return ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value if node.value.replace(".", "").replace("_", "").isalnum() else ""
        if isinstance(node, ast.BinOp):
            sides = [self.annotation(side, depth + 1) for side in (node.left, node.right)]
            sides = [side for side in sides if side and side != "None"]
            return sides[0] if len(sides) == 1 else ""
        if isinstance(node, ast.Subscript):
            name = self.module.resolve(node.value)
            if name.rpartition(".")[2] not in _WRAPPERS:
                return name
            inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            found = [self.annotation(item, depth + 1) for item in inner[: 1 if name.endswith("Annotated") else None]]
            found = [item for item in found if item and item != "None"]
            return found[0] if len(found) == 1 else ""
        if isinstance(node, ast.Constant):
            return str(node.value)
        return self.module.resolve(node)
