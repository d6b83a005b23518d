"""Whether a name still stands for what its module's text gives it: a tool in a box would see the text's."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.shipping.imports import home_of
from agentcop_processor.sandbox.shipping.origins import is_frameworks
from agentcop_processor.sandbox.shipping.reasons import MODULE, CannotTravel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_processor.sandbox.shipping.text.texts import Text

_VALUE: Final = f"pass it as an argument, or {MODULE}"
_TOOL: Final = f"call it from outside of the tool, or {MODULE}"


def check_unchanged(text: Text, number: int, name: str, names: Mapping[str, object]) -> None:
    """`names`: the module's, at this moment. Raises CannotTravel where the statement's is not what the program has.

    What is bound in several places or by a decorator is taken at the text's word.
    """
    statement, live = text.statements[number], names.get(name)
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        _check_function(text, statement, live)
    elif isinstance(statement, ast.ClassDef):
        _check_class(text, statement, live)
    elif isinstance(statement, ast.Assign | ast.AnnAssign) and len(text.binding[name]) == 1:
        _check_value(statement, name, live)


def _check_function(text: Text, statement: ast.FunctionDef | ast.AsyncFunctionDef, live: object) -> None:
    home = home_of(live)
    if _is_guarded(live) or is_frameworks(home):
        raise CannotTravel(f"it calls {statement.name}, a tool itself, which nobody would judge in a box", _TOOL)
    if statement.decorator_list or len(text.binding[statement.name]) > 1:
        return
    if not isinstance(live, FunctionType) or not text.holds(live.__code__):
        raise CannotTravel(f"it calls {statement.name}, which has changed since its module ran", _VALUE)


def _check_class(text: Text, statement: ast.ClassDef, live: object) -> None:
    if not isinstance(live, type):
        raise CannotTravel(f"it uses {statement.name}, which has changed since its module ran", _VALUE)
    for method in list(vars(live).values()):
        function = getattr(method, "__func__", method)
        if _is_guarded(function):
            why = f"it uses {statement.name}, of which a method is a tool itself, which nobody would judge in a box"
            raise CannotTravel(why, _TOOL)
        if isinstance(function, FunctionType) and _is_foreign(function, text):
            raise CannotTravel(f"it uses {statement.name}, which has changed since its module ran", _VALUE)


def _check_value(statement: ast.Assign | ast.AnnAssign, name: str, live: object) -> None:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    if statement.value is None or not all(isinstance(each, ast.Name) for each in targets):
        return
    try:
        literal = ast.literal_eval(statement.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return  # made by a constructor: see literals
    if not _same(live, literal):
        raise CannotTravel(f"it reads {name}, which has changed since its module ran", _VALUE)


def _is_foreign(method: FunctionType, text: Text) -> bool:
    """Whether it says that it stands in this text and does not."""
    return method.__code__.co_filename == text.filename and not text.holds(method.__code__)


def _is_guarded(value: object) -> bool:
    return isinstance(value, FunctionType) and "__agentcop_seam__" in vars(value)


def _same(live: object, literal: object) -> bool:
    try:
        return type(live) is type(literal) and bool(live == literal)
    except Exception:  # what was put into a list may compare as it likes
        return False
