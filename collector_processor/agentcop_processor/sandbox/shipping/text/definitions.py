"""Whether making a definition computes something: defaults, decorators and class bodies run when the module does."""

from __future__ import annotations

import ast
import functools
import operator
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.shipping.imports import home_of
from agentcop_processor.sandbox.shipping.origins import origin_of
from agentcop_processor.sandbox.shipping.text.literals import is_literal

if TYPE_CHECKING:
    from collections.abc import Mapping

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_WRAPPERS: Final = (
    classmethod,
    property,
    staticmethod,
    functools.partialmethod,
    operator.attrgetter,
    operator.itemgetter,
)
"""What stands around a method or a function in a class."""
_MODELLING: Final = frozenset({"attr", "attrs", "langchain_core", "pydantic", "pydantic_core", "typing_extensions"})
"""Packages whose functions say of a class's fields what they are, as `Field(default=…)`, and ask nobody for it."""

_MODELS: Final = frozenset({"__dataclass_fields__", "__pydantic_validator__"})


def is_fixed(definition: ast.AST, names: Mapping[str, object]) -> bool:
    """Whether a function or class comes to be the same wherever it is made. `names`: the module's."""
    if isinstance(definition, ast.ClassDef):
        keywords = (each.value for each in definition.keywords)
        return (
            all(_is_fixed_value(each, names) for each in (*definition.bases, *keywords))
            and all(_is_fixed_decorator(each, names) for each in definition.decorator_list)
            and all(_is_fixed_part(each, names) for each in definition.body)
        )
    if not isinstance(definition, _Function):
        return False
    defaults = (*definition.args.defaults, *(each for each in definition.args.kw_defaults if each is not None))
    decorators = [] if isinstance(definition, ast.Lambda) else definition.decorator_list
    return all(is_literal(each, names) for each in defaults) and all(
        _is_fixed_decorator(each, names) for each in decorators
    )


def _is_fixed_part(statement: ast.stmt, names: Mapping[str, object]) -> bool:
    """Of a class's body."""
    if isinstance(statement, _Definition):
        return is_fixed(statement, names)
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return statement.value is None or _is_fixed_value(statement.value, names)
    if isinstance(statement, ast.If):
        parts = (*statement.body, *statement.orelse)
        return is_literal(statement.test, names) and all(_is_fixed_part(each, names) for each in parts)
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass | ast.Import | ast.ImportFrom) or type(statement).__name__ == "TypeAlias"


def _is_fixed_value(value: ast.expr, names: Mapping[str, object]) -> bool:
    """A literal, a function of a line, a model made of such, or what a package for models is told of a field."""
    return is_literal(value, names, _describes, lambdas=_lambdas_in(value, names))


def _is_fixed_decorator(decorator: ast.expr, names: Mapping[str, object]) -> bool:
    """A name, or a call of one whose arguments are literals or made of such by an installed package."""
    arguments: list[ast.expr] = []
    root = decorator
    while isinstance(root, ast.Call | ast.Attribute):
        if isinstance(root, ast.Call):
            arguments += [*root.args, *(each.value for each in root.keywords)]
        root = root.func if isinstance(root, ast.Call) else root.value
    fixed = all(is_literal(each, names, _is_installed, lambdas=_lambdas_in(each, names)) for each in arguments)
    return fixed and isinstance(root, ast.Name)


def _describes(function: object) -> bool:
    if issubclass(type(function), type) and not _MODELS.isdisjoint(vars(function)):
        return True
    home = home_of(function)
    wraps = any(function is each for each in _WRAPPERS)
    return wraps or (isinstance(home, str) and home.partition(".")[0] in _MODELLING)


def _is_installed(function: object) -> bool:
    home = home_of(function)
    module = sys.modules.get(home) if isinstance(home, str) else None
    return isinstance(module, ModuleType) and origin_of(module.__name__, module).kind == "installed"


def _lambdas_in(value: ast.expr, names: Mapping[str, object]) -> bool:
    """Whether the lambdas that a value may hold compute nothing when they are made."""
    return all(is_fixed(each, names) for each in ast.walk(value) if isinstance(each, ast.Lambda))
