"""A labelled corpus: what is weak where, and which function each line is in."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One weakness at one line of a vulnerable file."""

    id: str
    path: str
    """Below `vulnerable`, and below `fixed` if there is a fixed file."""
    line: int
    kind: str
    severity: str
    has_fix: bool

    @classmethod
    def of(cls, row: Mapping[str, str]) -> Label:
        """The label that a row of the table is."""
        return cls(
            id=row["id"],
            path=f"{row['id']}/{row['path_in_archive']}",
            line=int(row["line"]),
            kind=row["weakness_class"],
            severity=row["severity"].upper(),
            has_fix=bool(row["fixed_version"]),
        )


@dataclass(frozen=True, slots=True)
class Corpus:
    """The folder with the three trees, and the labels."""

    root: Path
    labels: list[Label]

    def kloc(self, tree: str) -> float:
        """Thousands of lines of a tree."""
        return sum(path.read_bytes().count(b"\n") for path in (self.root / tree).rglob("*.py")) / 1000

    def lines_of(self, tree: str, path: str, function: str) -> list[tuple[int, int]]:
        """First and last lines of the functions of this qualified name in a file; the whole file for "" and none."""
        return [(first, last) for name, first, last in _functions(self.root / tree / path) if name == function]

    def function_at(self, tree: str, path: str, line: int) -> str:
        """Qualified name of the innermost function or class around a line; "" if there is none."""
        around = [entry for entry in _functions(self.root / tree / path) if entry[1] <= line <= entry[2]]
        return min(around, key=lambda entry: entry[2] - entry[1])[0] if around else ""


@cache
def _functions(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Qualified name, first and last line of each function and class, decorators included."""
    found: list[tuple[str, int, int]] = []
    todo: list[tuple[ast.AST, str]] = [(ast.parse(path.read_bytes()), "")]
    while todo:
        node, prefix = todo.pop()
        for child in ast.iter_child_nodes(node):
            inner = prefix
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = f"{prefix}.{child.name}" if prefix else child.name
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                found.append((inner, first, child.end_lineno or child.lineno))
            todo.append((child, inner))
    return tuple(found)
