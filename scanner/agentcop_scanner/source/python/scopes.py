"""Functions and classes of a module by qualified name, and which of them a line belongs to."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True, kw_only=True)
class Scope:
    """One function or class."""

    qualname: str
    """`Class.method`, `outer.inner`: what a reader calls it, without `<locals>`."""
    node: Function | ast.ClassDef
    parent: Scope | None = None

    @property
    def is_function(self) -> bool:
        """Whether it is a function, of any kind."""
        return not isinstance(self.node, ast.ClassDef)

    @property
    def owner(self) -> Scope | None:
        """The class whose method it is; None for anything else."""
        return self.parent if self.is_function and self.parent and not self.parent.is_function else None


@dataclass(slots=True)
class Scopes:
    """All scopes of a module, in the order of the source. Of two with one name the last counts, as when it runs."""

    all: list[Scope] = field(default_factory=list)
    functions: dict[str, Scope] = field(default_factory=dict)
    classes: dict[str, Scope] = field(default_factory=dict)
    by_node: dict[ast.AST, Scope] = field(default_factory=dict)
    _by_line: list[Scope | None] = field(default_factory=list)

    def at(self, line: int) -> Scope | None:
        """The innermost scope that the line is in; None at module level."""
        if not self._by_line and self.all:
            last = max(scope.node.end_lineno or 0 for scope in self.all)
            table: list[Scope | None] = [None] * (last + 1)
            for scope in self.all:  # outer before inner, so that the inner one stays
                first, end = scope.node.lineno, (scope.node.end_lineno or scope.node.lineno) + 1
                table[first:end] = [scope] * (end - first)
            self._by_line = table
        return self._by_line[line] if 0 <= line < len(self._by_line) else None


def _nested(body: list[ast.stmt]) -> list[ast.stmt]:
    """The definitions in a body, also those under if, try, with and loops."""
    found: list[ast.stmt] = []
    stack: list[ast.AST] = list(reversed(body))
    while stack:
        node = stack.pop()
        if isinstance(node, Function | ast.ClassDef):
            found.append(node)
        elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            inner: list[ast.AST] = []
            for name in ("body", "handlers", "orelse", "finalbody", "cases"):
                inner += getattr(node, name, ())
            stack += reversed(inner)
    return found


def scopes(tree: ast.Module) -> Scopes:
    """The scopes of a tree."""
    found = Scopes()
    stack: list[tuple[ast.stmt, Scope | None]] = [(node, None) for node in reversed(_nested(tree.body))]
    while stack:
        node, parent = stack.pop()
        if not isinstance(node, Function | ast.ClassDef):
            continue
        name = f"{parent.qualname}.{node.name}" if parent else node.name
        scope = Scope(qualname=name, node=node, parent=parent)
        found.all.append(scope)
        found.by_node[node] = scope
        (found.functions if scope.is_function else found.classes)[name] = scope
        stack += [(inner, scope) for inner in reversed(_nested(node.body))]
    return found
