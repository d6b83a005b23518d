"""Operators and literals that put text together."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.engine.flow.text import (
    concatenated,
    joined_path,
    looks_like_cypher,
    looks_like_sql,
    looks_like_sql_piece,
)
from agentcop_scanner.engine.values.value import CONSTANT, Taint, Value, cleared, combined, literal, marked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentcop_scanner.engine.flow.frame import Frame

_PATHS = frozenset({"pathlib.Path", "paths", "anyio.Path", "pathlib.PurePath", "pathlib.PosixPath"})
_QUOTED = cleared("code", "format", "template")
_NUMBER_FORMATS = tuple("bdnoxXeEfFgG%")


def is_path(value: Value) -> bool:
    """Whether a value is a path object."""
    return value.is_a in _PATHS


def noticed(frame: Frame, node: ast.AST, value: Value, pieces: Iterable[Value] = ()) -> Value:
    """A text that was put together; if it is a query with foreign pieces in it, that is noted.

    Not of `pieces` that are queries already: of those it was noted where they were put together.
    """
    if frame.quiet or not value.text or not any(taint.joined for taint in value.taints.values()):
        return value
    if looks_like_sql(value.text) or looks_like_sql_piece(value.text):
        rule = frame.world.tables.rules.get("AC141")
        noted = {origin for piece in pieces if piece.is_a == "sql" for origin in piece.taints}
        for origin, taint in value.taints.items():
            if taint.joined and rule is not None and origin not in noted:
                frame.hit(rule, node, "SQL text", origin, taint)
        return Value(value.taints, is_a="sql", text=value.text)
    if looks_like_cypher(value.text):
        return Value(value.taints, is_a="cypher", text=value.text)
    return value


def f_string(frame: Frame, node: ast.JoinedStr) -> Value:
    """An f-string."""
    pieces = [frame.value(part) for part in node.values]
    return noticed(frame, node, concatenated(pieces), pieces)


def formatted(frame: Frame, node: ast.FormattedValue) -> Value:
    """One field of an f-string."""
    value = frame.value(node.value)
    frame.value(node.format_spec)
    if node.conversion == ord("r"):
        return marked(value, _QUOTED)
    spec = frame.module.constant(node.format_spec) if node.format_spec is not None else None
    if isinstance(spec, str) and spec.endswith(_NUMBER_FORMATS) and spec != "%":
        return CONSTANT
    return value


def binary(frame: Frame, node: ast.BinOp) -> Value:
    """Two values and an operator between them."""
    if isinstance(node.op, ast.Add):
        return _added(frame, node)
    left, right = frame.value(node.left), frame.value(node.right)
    if isinstance(node.op, ast.Div):
        return joined_path(left, (right,)) if is_path(left) or is_path(right) or left.taints else CONSTANT
    if isinstance(node.op, ast.Mod):
        if left.text or isinstance(node.right, ast.Tuple | ast.Dict):
            given = right.items if right.items is not None else (right,)
            return noticed(frame, node, filled(left, given), given)
        return combined((left, right))
    if isinstance(node.op, ast.Mult | ast.BitOr | ast.BitAnd):
        found = combined((left, right))
        return Value(found.taints, items=None, text=left.text)
    return CONSTANT


def _added(frame: Frame, node: ast.BinOp) -> Value:
    """A chain of `+`, flattened so that a long one costs no depth."""
    parts: list[ast.expr] = []
    current: ast.expr = node
    while isinstance(current, ast.BinOp) and isinstance(current.op, ast.Add):
        parts.append(current.right)
        current = current.left
    parts.append(current)
    values = [frame.value(part) for part in reversed(parts)]
    if any(value.items is not None for value in values):
        return _added_lists(values)
    return noticed(frame, node, concatenated(values), values)


def _added_lists(values: list[Value]) -> Value:
    items: list[Value] = []
    for value in values:
        if value.items is not None:
            items += value.items
        else:
            items.append(Value(value.taints, is_a="*"))
    return Value(combined(items).taints, items=tuple(items), is_a="list")


def filled(template: Value, given: tuple[Value, ...]) -> Value:
    """A template with values put into it. What stands at its very beginning may be all of it."""
    text = template.text
    leads = text.lstrip("'\"").startswith(("%s", "{"))
    if template.is_constant and all(value.const is not None for value in given) and len(given) == 1 and text == "%s":
        return literal(str(given[0].const))
    first, rest = (given[:1], given[1:]) if leads else ((), given)
    host_open = text.lower().startswith(("http://%s", "https://%s", "http://{", "https://{"))
    lead = "" if host_open else text.partition("%s")[0].partition("{")[0]
    pieces = concatenated([*first, literal(lead or " "), *rest]) if not host_open else combined(given)
    if host_open:
        pieces = Value({origin: Taint(taint.marks, True, taint.trail) for origin, taint in pieces.taints.items()})  # noqa: FBT003  # a field of a tuple
    taints = dict(pieces.taints)
    taints.update({origin: taint for origin, taint in template.taints.items() if origin not in taints})
    return Value(taints, text=text)
