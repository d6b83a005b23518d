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
import typing
from types import ModuleType
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.shipping.origins import names_in

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    *(dataclasses.field, logging.getLogger, pathlib.PurePath, pathlib.PurePosixPath, re.compile),
    *(typing.NewType, typing.ParamSpec, typing.TypeVar),
)
"""What may be called: it depends on nothing but its arguments."""
_TYPING: Final = frozenset({"typing", "typing_extensions", "collections.abc", "builtins"})


def is_literal(expression: ast.expr, names: Mapping[str, object]) -> bool:
    """`names`: the module's, to see what is called. Names alone count: whoever asks follows them."""
    waiting: list[ast.AST] = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            if not any(_meant(node.func, names) is maker for maker in _MAKERS):
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
        else:
            return False
    return True


def _meant(node: ast.expr, names: Mapping[str, object]) -> object:
    """What a name, or a name in a module, stands for; None where it cannot be told without running anything."""
    if isinstance(node, ast.Name):
        return names.get(node.id, vars(builtins).get(node.id))
    if isinstance(node, ast.Attribute):
        owner = _meant(node.value, names)
        if issubclass(type(owner), ModuleType):
            return names_in(owner).get(node.attr)
    return None


def _is_fixed(node: ast.Attribute, names: Mapping[str, object]) -> bool:
    """Whether this is a constant, a function or a class of a module that is no part of the running program's state."""
    meant = _meant(node, names)
    if meant is sys.version_info:
        return True
    return isinstance(meant, int | float | str | type | re.RegexFlag | dt.timezone) or _is_type(node, names)


def _is_type(node: ast.expr, names: Mapping[str, object]) -> bool:
    meant = _meant(node, names)
    return isinstance(meant, type) or getattr(type(meant), "__module__", "") in _TYPING - {"builtins"}
