"""What an expression is worth, where the module itself says so."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_DEPTH = 30
_MAX_TEXT = 100_000


def _joined(values: list[ast.expr], known: Mapping[str, ast.expr], depth: int) -> str | None:
    parts: list[str] = []
    for value in values:
        inner = value.value if isinstance(value, ast.FormattedValue) else value
        part = constant(inner, known, depth)
        if not isinstance(part, str | int | float):
            return None
        parts.append(str(part))
    return "".join(parts)


def _added(node: ast.BinOp, known: Mapping[str, ast.expr], depth: int) -> str | None:
    left, right = constant(node.left, known, depth), constant(node.right, known, depth)
    if isinstance(node.op, ast.Add) and isinstance(left, str) and isinstance(right, str):
        return left + right if len(left) + len(right) <= _MAX_TEXT else None
    return None


def _negated(value: object) -> object:
    return -value if isinstance(value, int | float) else None


def constant(node: ast.expr | None, known: Mapping[str, ast.expr], depth: int = 0) -> object:
    """The literal that an expression is worth: text, number, bytes, bool; None if it is none or cannot be told.

    `known` gives the names that are assigned once, at module level, and what. Text joined by `+` and f-strings of
    constants count.
    """
    if depth > _MAX_DEPTH:
        node = None
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return constant(known.get(node.id), known, depth + 1)
        case ast.JoinedStr():
            return _joined(node.values, known, depth + 1)
        case ast.BinOp():
            return _added(node, known, depth + 1)
        case ast.UnaryOp(op=ast.USub()):
            return _negated(constant(node.operand, known, depth + 1))
        case _:
            return None


def assigned_once(tree: ast.Module) -> dict[str, ast.expr]:
    """Names that module level assigns exactly once, and nothing else in it does."""
    found: dict[str, ast.expr] = {}
    twice: set[str] = set()
    for statement in tree.body:
        targets: list[ast.expr] = []
        value: ast.expr | None = None
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
            targets, value = [statement.target], statement.value
        for target in targets:
            if isinstance(target, ast.Name):
                if target.id in found or isinstance(statement, ast.AugAssign):
                    twice.add(target.id)
                if value is not None:
                    found[target.id] = value
    return {name: value for name, value in found.items() if name not in twice}
