"""Which expressions give the same in a box as they gave here: literals, and a few constructors of them."""

from __future__ import annotations

import ast
import builtins
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import logging
import pathlib
import re
import sys
import textwrap
import typing
from types import ModuleType
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.shipping.origins import names_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PLAIN: Final = (
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.Set,
    ast.Dict,
    ast.UnaryOp,
    ast.BinOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.Starred,
    ast.Name,
    ast.keyword,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
    ast.expr_context,
)
_MAKERS: Final = (
    *(bool, bytes, dict, float, frozenset, int, list, range, set, str, tuple, len, max, min, sorted, sum),
    *(collections.defaultdict, collections.namedtuple, collections.OrderedDict),  # noqa: PYI024 -- what tools use
    *(dt.date, dt.timedelta, dt.timezone, decimal.Decimal, enum.auto),
    *(dataclasses.field, logging.getLogger, pathlib.PurePath, pathlib.PurePosixPath, re.compile, textwrap.dedent),
    *(typing.NewType, typing.ParamSpec, typing.TypeVar),
)
"""What may be called: it depends on nothing but its arguments."""
_TYPING: Final = frozenset({"typing", "typing_extensions", "collections.abc", "builtins"})


def is_literal(
    expression: ast.expr,
    names: Mapping[str, object],
    further: Callable[[object], bool] = lambda _: False,
    *,
    lambdas: bool = False,
) -> bool:
    """`names`: the module's, to see what is called. Names alone count: whoever asks follows them.

    `further`: whether something else may be called, too; `lambdas`: whether those count.
    """
    waiting: list[ast.AST] = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            if not _is_of_text(node.func) and not _may_be_called(meant(node.func, names), further):
                return False
            waiting.extend((*node.args, *node.keywords))
        elif isinstance(node, ast.Attribute):
            if not _is_fixed(node, names):
                return False
        elif isinstance(node, ast.Subscript):
            if not _is_type(node.value, names):
                return False
            waiting.append(node.slice)
        elif isinstance(node, _PLAIN):
            waiting.extend(ast.iter_child_nodes(node))
        elif not (lambdas and isinstance(node, ast.Lambda)):
            return False
    return True


def _may_be_called(function: object, further: Callable[[object], bool]) -> bool:
    return any(function is maker for maker in _MAKERS) or further(function)


def _is_of_text(function: ast.expr) -> bool:
    """Whether this is a method of a text that stands here, as `"…".strip`: none of them asks for anything else."""
    literal = function.value if isinstance(function, ast.Attribute) else None
    return isinstance(literal, ast.Constant) and type(literal.value) is str


def meant(node: ast.expr, names: Mapping[str, object]) -> object:
    """What a name, or a name in a module, stands for; None where it cannot be told without running anything."""
    if isinstance(node, ast.Name):
        return names.get(node.id, vars(builtins).get(node.id))
    if isinstance(node, ast.Attribute):
        owner = meant(node.value, names)
        if issubclass(type(owner), ModuleType):
            return names_in(owner).get(node.attr)
        if isinstance(owner, enum.EnumMeta):
            return owner.__members__.get(node.attr)
    return None


def _is_fixed(node: ast.Attribute, names: Mapping[str, object]) -> bool:
    """Whether this is a constant, a function or a class of a module that is no part of the running program's state."""
    found = meant(node, names)
    if found is sys.version_info:
        return True
    return isinstance(found, int | float | str | type | enum.Enum | dt.timezone) or _is_type(node, names)


def _is_type(node: ast.expr, names: Mapping[str, object]) -> bool:
    found = meant(node, names)
    return isinstance(found, type) or getattr(type(found), "__module__", "") in _TYPING - {"builtins"}
