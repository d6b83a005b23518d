"""Whether a name still stands for what its module's text gives it: a tool in a box would see the text's."""

from __future__ import annotations

import ast
from abc import ABCMeta
from types import FunctionType, MemberDescriptorType
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.shipping.imports import home_of
from agentcop_processor.sandbox.shipping.origins import is_frameworks
from agentcop_processor.sandbox.shipping.reasons import MODULE, CannotTravel
from agentcop_processor.sandbox.shipping.text.bindings import bound_by
from agentcop_processor.sandbox.shipping.text.recomputed import Unknown, given_to, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_processor.sandbox.shipping.text.texts import Text

_VALUE: Final = f"pass it as an argument, or {MODULE}"
_ASSIGNING: Final = (ast.Assign, ast.AnnAssign)
_TOOL: Final = f"call it from outside of the tool, or {MODULE}"


def check_unchanged(text: Text, number: int, name: str, names: Mapping[str, object]) -> None:
    """`names`: the module's, at this moment. Raises CannotTravel where the statement's is not what the program has.

    A function that is bound in several places or by a decorator, and what only running the text would tell, is taken
    at the text's word.
    """
    statement, live = text.statements[number], names.get(name)
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        _check_function(text, statement, live)
    elif isinstance(statement, ast.ClassDef):
        _check_class(text, statement, live, names)
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.If | ast.Try):
        _check_value(text, name, names)


def _check_function(text: Text, statement: ast.FunctionDef | ast.AsyncFunctionDef, live: object) -> None:
    home = home_of(live)
    if _is_guarded(live) or is_frameworks(home):
        raise CannotTravel(f"it calls {statement.name}, a tool itself, which nobody would judge in a box", _TOOL)
    if statement.decorator_list or len(text.binding[statement.name]) > 1:
        return
    if not isinstance(live, FunctionType) or not text.holds(live.__code__):
        raise CannotTravel(f"it calls {statement.name}, which has changed since its module ran", _VALUE)


def _check_class(text: Text, statement: ast.ClassDef, live: object, names: Mapping[str, object]) -> None:
    if not isinstance(live, type) or _has_changed(statement, live, names):
        raise CannotTravel(f"it uses {statement.name}, which has changed since its module ran", _VALUE)
    for method in list(vars(live).values()):
        function = getattr(method, "__func__", method)
        if _is_guarded(function):
            why = f"it uses {statement.name}, of which a method is a tool itself, which nobody would judge in a box"
            raise CannotTravel(why, _TOOL)
        if isinstance(function, FunctionType) and _is_foreign(function, text):
            raise CannotTravel(f"it uses {statement.name}, which has changed since its module ran", _VALUE)


def _has_changed(statement: ast.ClassDef, live: type, names: Mapping[str, object]) -> bool:
    """Whether an attribute is not the literal that its class gives it; other metaclasses make what they like of it."""
    if type(live) not in {type, ABCMeta}:
        return False
    held = vars(live)
    given_one = {name for part in statement.body if isinstance(part, _ASSIGNING) for name in bound_by(part)}
    for each in given_one & held.keys():
        if isinstance(held[each], MemberDescriptorType):  # of a field in `__slots__`
            continue
        try:
            given = given_to(each, statement.body, {**names, **held})
        except Unknown:
            continue
        if given and not any(same(held[each], value) for value in given):
            return True
    return False


def _check_value(text: Text, name: str, names: Mapping[str, object]) -> None:
    try:
        given = given_to(name, (text.statements[each] for each in text.binding[name]), names)
    except Unknown:
        return
    if not any(same(names.get(name), value) for value in given):
        raise CannotTravel(f"it reads {name}, which has changed since its module ran", _VALUE)


def _is_foreign(method: FunctionType, text: Text) -> bool:
    """Whether it says that it stands in this text and does not."""
    return method.__code__.co_filename == text.filename and not text.holds(method.__code__)


def _is_guarded(value: object) -> bool:
    return isinstance(value, FunctionType) and "__agentcop_seam__" in vars(value)
