"""What a module's text gives a name, worked out again from literals, to see whether the program has changed it."""

from __future__ import annotations

import ast
import collections
import datetime as dt
import decimal
import operator
import pathlib
import re
from typing import TYPE_CHECKING, Any, Final

from agentcop_processor.sandbox.shipping.text.bindings import bound_by
from agentcop_processor.sandbox.shipping.text.literals import meant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_PLAIN: Final = frozenset({bool, bytes, complex, dict, float, frozenset, int, list, set, str, tuple, type(None)})
_UNARY: Final[dict[type[ast.unaryop], Callable[[Any], object]]] = {
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
_BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], object]]] = {
    ast.Add: operator.add,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.Mod: operator.mod,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
    ast.RShift: operator.rshift,
    ast.Sub: operator.sub,
}
_MAKERS: Final = (
    *(bool, bytes, dict, float, frozenset, int, list, range, set, str, tuple, len, max, min, sorted, sum),
    *(collections.OrderedDict, dt.date, dt.timedelta, dt.timezone, decimal.Decimal),
    *(pathlib.PurePath, pathlib.PurePosixPath, re.compile),
)


class Unknown(Exception):  # noqa: N818 -- an answer
    """It cannot be worked out without running the program's own code."""


def given_to(name: str, statements: Iterable[ast.stmt], names: Mapping[str, object]) -> list[object]:
    """What these statements may give the name, in whatever branch. `names`: the module's. Raises Unknown."""
    found: list[object] = []
    waiting = list(statements)
    while waiting:
        statement = waiting.pop()
        if name not in bound_by(statement):
            continue
        if isinstance(statement, ast.If | ast.Try):
            waiting += [*statement.body, *statement.orelse]
            if isinstance(statement, ast.Try):
                waiting += [*statement.finalbody, *(each for one in statement.handlers for each in one.body)]
        else:
            found += [worked_out(value, names) for value in _values(name, statement)]
    return found


def worked_out(expression: ast.expr, names: Mapping[str, object]) -> object:
    """The value of an expression of literals. Costs what it cost when the module ran. Raises Unknown."""
    try:
        return _value(expression, names)
    except (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError, re.error):
        raise Unknown from None


def same(live: object, value: object) -> bool:
    """Whether they are of one type and equal; nan is nan."""
    if type(live) is not type(value):
        return False
    try:
        return bool(live == value) or (type(value) in _PLAIN and repr(live) == repr(value))
    except Exception:  # what was put into a list may compare as it likes
        return False


def _values(name: str, statement: ast.stmt) -> list[ast.expr]:
    """The expressions that an assignment gives the name. Raises Unknown."""
    if isinstance(statement, ast.AnnAssign):
        return [] if statement.value is None else [statement.value]
    if not isinstance(statement, ast.Assign):
        raise Unknown
    found = []
    for target in statement.targets:
        if isinstance(target, ast.Name):
            found += [statement.value] if target.id == name else []
        elif isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
            pairs = zip(target.elts, statement.value.elts, strict=False)
            if not all(isinstance(each, ast.Name) for each in target.elts):
                raise Unknown
            found += [value for each, value in pairs if isinstance(each, ast.Name) and each.id == name]
        else:
            raise Unknown
    return found


def _value(node: ast.expr, names: Mapping[str, object]) -> Any:  # noqa: ANN401 -- any value
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name | ast.Attribute):
        return _plain(meant(node, names))
    if isinstance(node, ast.UnaryOp):
        return _UNARY[type(node.op)](_plain(_value(node.operand, names)))
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](_plain(_value(node.left, names)), _plain(_value(node.right, names)))
    if isinstance(node, ast.Call):
        return _made(node, names)
    return _display(node, names)


def _display(node: ast.expr, names: Mapping[str, object]) -> object:
    if isinstance(node, ast.Dict) and None not in node.keys:
        keys = [_value(key, names) for key in node.keys if key is not None]
        return dict(zip(keys, [_value(each, names) for each in node.values], strict=True))
    if not isinstance(node, ast.Tuple | ast.List | ast.Set):
        raise Unknown
    made = [_value(each, names) for each in node.elts]
    return made if isinstance(node, ast.List) else tuple(made) if isinstance(node, ast.Tuple) else set(made)


def _made(call: ast.Call, names: Mapping[str, object]) -> object:
    maker: Any = meant(call.func, names)
    if not any(maker is each for each in _MAKERS) or not all(each.arg for each in call.keywords):
        raise Unknown
    named = {str(each.arg): _value(each.value, names) for each in call.keywords}
    return maker(*(_value(each, names) for each in call.args), **named)


def _plain(value: object) -> Any:  # noqa: ANN401 -- any value
    """Itself, if using it runs no code of the program's."""
    if type(value) not in _PLAIN:
        raise Unknown
    return value
