"""One parsed Python module, and what its names stand for."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from agentcop_scanner.finding import Finding, Place
from agentcop_scanner.source.python.constants import assigned_once, constant
from agentcop_scanner.source.python.imports import imported, starred
from agentcop_scanner.source.python.nodes import Nodes
from agentcop_scanner.source.python.scopes import Scope, Scopes, scopes
from agentcop_scanner.source.python.tools import Entry, entries
from agentcop_scanner.source.snippet import snippet
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Confidence, Reach, Severity, Step
    from agentcop_scanner.rule import Rule
    from agentcop_scanner.source.python.scopes import Function

_NEVER_CONSTANT = frozenset({ast.Call, ast.Attribute, ast.List, ast.Dict, ast.Subscript, ast.Tuple, ast.ListComp})
_RENAMED = words("eval exec compile open __import__ getattr")
"""Built-in functions whose second name is followed."""


@dataclass(kw_only=True)
class Module:
    """A module's source and tree. Read-only by agreement; what is derived is made once, when first asked for."""

    path: str
    text: str
    """With `\\n` at the end of every line, whatever the file has."""
    tree: ast.Module
    name: str = ""
    """Dotted name inside the scanned root; "" if it cannot be told."""
    is_package: bool = False
    """Whether it is an `__init__.py`: its relative imports start one level lower."""
    line_map: tuple[int, ...] = ()
    """For a notebook: the line of the file that each line of `text` stands on. Empty: the same line."""
    col_map: tuple[tuple[int, ...], ...] = ()
    """For a notebook: the column, from 1, in the file of each character of each line and its end. Empty: same."""
    _resolved: dict[ast.expr, str] = field(default_factory=dict, repr=False, compare=False)
    _bases: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def lines(self) -> list[str]:
        """The source by lines, as Python counts them, without their ends."""
        return self.text.split("\n")

    @cached_property
    def nodes(self) -> Nodes:
        """All nodes by type: `module.nodes.of(ast.Call)`."""
        return Nodes(self.tree)

    @cached_property
    def scopes(self) -> Scopes:
        """Functions and classes by qualified name."""
        return scopes(self.tree)

    @cached_property
    def package(self) -> str:
        """Dotted name of the package the module is in; "" at the top or if it cannot be told."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @cached_property
    def imports(self) -> dict[str, str]:
        """Local name to the dotted name that an import, anywhere in the module, gave it."""
        return imported(self.nodes, self.package)

    @cached_property
    def modules(self) -> frozenset[str]:
        """The dotted names that `import` gave, which are modules."""
        return frozenset(alias.name for node in self.nodes.of(ast.Import) for alias in node.names)

    @cached_property
    def starred(self) -> tuple[str, ...]:
        """The modules of which everything is imported."""
        return starred(self.nodes, self.package)

    @cached_property
    def assigned(self) -> dict[str, ast.expr]:
        """Names that module level assigns exactly once, and what."""
        return assigned_once(self.tree)

    def constant(self, node: ast.expr | None) -> object:
        """The text, number, bytes or bool that an expression is worth, through names of module level; else None."""
        if node.__class__ in _NEVER_CONSTANT:
            return None
        return constant(node, self.assigned)

    def resolve(self, node: ast.expr) -> str:
        """The dotted name that an expression stands for, through import aliases: `sp.run` → `subprocess.run`; or "".

        A name that is not imported is itself: `eval`, `self.client.get`. `getattr(m, "x")` with constant text is `m.x`.
        """
        known = self._resolved.get(node)
        if known is None:
            known = self._resolved[node] = self._resolve(node)
        return known

    def _resolve(self, node: ast.expr) -> str:
        parts: list[str] = []
        while True:
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Name):
                parts.append(self._imported(node.id))
                break
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id == "__import__" and node.args and isinstance(text := self.constant(node.args[0]), str):
                    parts.append(text)
                    break
                if node.func.id != "getattr" or len(node.args) < 2:  # noqa: PLR2004  # an object and a name
                    return ""
                text = self.constant(node.args[1])
                if not isinstance(text, str):
                    return ""
                parts.append(text)
                node = node.args[0]
            else:
                return ""
        parts.reverse()
        return ".".join(parts).removeprefix("builtins.")

    def _imported(self, name: str) -> str:
        found = self.imports.get(name)
        if found is not None:
            return found
        # A second name for something: `run = subprocess.run`. One step only, so that a circle ends.
        base = self.assigned.get(name)
        parts: list[str] = []
        while isinstance(base, ast.Attribute):
            parts.append(base.attr)
            base = base.value
        if not isinstance(base, ast.Name) or (base.id not in self.imports and base.id not in _RENAMED):
            return name
        return ".".join((self.imports.get(base.id, base.id), *reversed(parts)))

    @cached_property
    def _dotted(self) -> dict[ast.Call, str]:
        """The dotted name of what each call calls."""
        return {call: self.resolve(call.func) for call in self.nodes.of(ast.Call)}

    def dotted(self, call: ast.Call) -> str:
        """The dotted name of what a call of this module calls; "" if it has none."""
        return self._dotted.get(call, "")

    @cached_property
    def called(self) -> dict[str, list[ast.Call]]:
        """Every call by the dotted name of what is called, in the order of the source; "" for what has none."""
        found: dict[str, list[ast.Call]] = {}
        for call, name in self._dotted.items():
            found.setdefault(name, []).append(call)
        return found

    def calls(self, *names: str) -> Iterator[ast.Call]:
        """The calls of these dotted names: `module.calls("torch.load", "subprocess.run")`."""
        for name in names:
            yield from self.called.get(name, ())

    @cached_property
    def methods_called(self) -> dict[str, list[ast.Call]]:
        """Every call of an attribute by the attribute's name: `x.y.execute(…)` under `execute`."""
        found: dict[str, list[ast.Call]] = {}
        for call in self.nodes.of(ast.Call):
            if isinstance(call.func, ast.Attribute):
                found.setdefault(call.func.attr, []).append(call)
        return found

    @staticmethod
    def argument(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
        """The argument that a call gives under a name, or at a position; None if it does not."""
        for keyword in call.keywords:
            if keyword.arg == name:
                return keyword.value
        if (
            position is not None
            and position < len(call.args)
            and not any(isinstance(given, ast.Starred) for given in call.args[: position + 1])
        ):
            return call.args[position]
        return None

    def decorators(self, node: Function | ast.ClassDef) -> tuple[str, ...]:
        """Dotted names of the decorators, called or not: `@mcp.tool()` is `mcp.tool`."""
        return tuple(self.resolve(item.func if isinstance(item, ast.Call) else item) for item in node.decorator_list)

    def bases(self, qualname: str) -> tuple[str, ...]:
        """Dotted names of a class's bases, and of theirs as far as they are in this module."""
        known = self._bases.get(qualname)
        if known is None:
            known = self._bases[qualname] = self._bases_of(qualname)
        return known

    def _bases_of(self, qualname: str) -> tuple[str, ...]:
        found: list[str] = []
        todo = [qualname]
        while todo:
            scope = self.scopes.classes.get(todo.pop())
            for base in scope.node.bases if scope and isinstance(scope.node, ast.ClassDef) else ():
                name = self.resolve(base.value if isinstance(base, ast.Subscript) else base)
                if name and name not in found:
                    found.append(name)
                    todo.append(name)
        return tuple(found)

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Qualified names of the functions that outside text reaches, and how: tool, endpoint, command."""
        return entries(self)

    def scope(self, node: ast.AST) -> Scope | None:
        """The innermost function or class around a node; None at module level."""
        return self.scopes.at(getattr(node, "lineno", 0))

    def function(self, node: ast.AST) -> Scope | None:
        """The innermost function around a node; None at class or module level."""
        scope = self.scope(node)
        while scope is not None and not scope.is_function:
            scope = scope.parent
        return scope

    def entry(self, node: ast.AST) -> Entry | None:
        """What the function around a node, or one around that, is to the outside."""
        scope = self.scope(node)
        while scope is not None:
            if scope.qualname in self.entries:
                return self.entries[scope.qualname]
            scope = scope.parent
        return None

    @cached_property
    def is_test(self) -> bool:
        """Whether it is test code by what it does: it defines test functions and uses a test framework."""
        frameworks = {"pytest", "unittest"} & {name.partition(".")[0] for name in self.imports.values()}
        return bool(frameworks) and any(scope.node.name.startswith(("test_", "Test")) for scope in self.scopes.all)

    @cached_property
    def _main_lines(self) -> tuple[tuple[int, int], ...]:
        """The lines under `if __name__ == "__main__"`."""
        return tuple(
            (node.lineno, node.end_lineno or node.lineno)
            for node in self.tree.body
            if isinstance(node, ast.If)
            and isinstance(node.test, ast.Compare)
            and isinstance(node.test.left, ast.Name)
            and node.test.left.id == "__name__"
        )

    def reach(self, node: ast.AST) -> Reach:
        """How a node is reached, as the trust score weighs it."""
        if self.entry(node) in {"tool", "endpoint"}:
            return "tool"
        line = getattr(node, "lineno", 0)
        if self.is_test or any(first <= line <= end for first, end in self._main_lines):
            return "test"
        return "unknown"

    def place(self, node: ast.AST) -> Place:
        """Where a node stands, in lines of the file."""
        line: int = getattr(node, "lineno", 1)
        end: int = getattr(node, "end_lineno", None) or line
        return Place(
            line=self.file_line(line),
            col=self._col(line, getattr(node, "col_offset", 0)) + 1,
            end_line=self.file_line(end),
            end_col=self._col(end, getattr(node, "end_col_offset", None) or 0),
        )

    def file_line(self, line: int) -> int:
        """A line of the file, for one of `text`: they differ in a notebook."""
        return self.line_map[line - 1] if 0 < line <= len(self.line_map) else line

    def _col(self, line: int, offset: int) -> int:
        """Columns in characters: the tree counts bytes of UTF-8."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        chars = offset if text.isascii() else len(text.encode(errors="replace")[:offset].decode(errors="ignore"))
        if 0 < line <= len(self.col_map):
            columns = self.col_map[line - 1]
            return columns[min(chars, len(columns) - 1)] - 1
        return chars

    def finding(  # noqa: PLR0913  # what a finding says that the node does not
        self,
        rule: Rule,
        node: ast.AST,
        message: str,
        *,
        severity: Severity | None = None,
        confidence: Confidence = "medium",
        reach: Reach | None = None,
        trace: tuple[Step, ...] = (),
        fix: str = "",
    ) -> Finding:
        """A finding of a rule at a node. Severity is the rule's and reach that of the place, unless given."""
        scope = self.function(node)
        return Finding(
            rule=rule.id,
            severity=severity or rule.severity,
            path=self.path,
            place=self.place(node),
            message=message,
            confidence=confidence,
            reach=reach or self.reach(node),
            function=scope.qualname if scope else "",
            snippet=snippet(self.lines, getattr(node, "lineno", 1), getattr(node, "end_lineno", None) or 1),
            trace=trace,
            fix=fix,
        )
