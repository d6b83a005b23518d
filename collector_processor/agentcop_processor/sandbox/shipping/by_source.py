"""The second way of shipping: the box is given the text of the tool and of what it uses."""

from __future__ import annotations

import ast
import inspect
import os
import sys
from copy import deepcopy
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.parcel import Parcel
from agentcop_processor.sandbox.shipping.imports import cop_behind, home_of, used_by
from agentcop_processor.sandbox.shipping.origins import is_cops, is_frameworks, origin_of
from agentcop_processor.sandbox.shipping.project import project_of
from agentcop_processor.sandbox.shipping.reasons import AGAIN, MODULE, OUTSIDE, CannotTravel
from agentcop_processor.sandbox.shipping.secrets import secret_in
from agentcop_processor.sandbox.shipping.text.bindings import names_read
from agentcop_processor.sandbox.shipping.text.slices import sliced
from agentcop_processor.sandbox.shipping.text.texts import text_around, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_processor.sandbox.shipping.text.texts import Standing, Text

_LAMBDA: Final = "agentcop_lambda"
_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def by_source(tool: Callable[..., object] | type) -> Parcel:
    """A parcel that holds the text of `tool`, a function or a class. Raises CannotTravel."""
    if isinstance(tool, type):
        return _class(tool)
    written = _innermost(tool)
    text = text_around(written)
    standing = text.find(written.__code__)
    if written.__code__.co_freevars:
        names = ", ".join(written.__code__.co_freevars)
        raise CannotTravel(f"it uses {names} of the function around it", f"pass it as an argument, or {MODULE}")
    statement, name = _standing_alone(tool, written, standing)
    return _parcel(sys.modules[written.__module__], text, statement, name)


def _parcel(module: ModuleType, text: Text, statement: ast.stmt, name: str) -> Parcel:
    source, imports = sliced(module, text, statement)
    if secret := secret_in(source):
        raise CannotTravel(f"{secret} looks like a secret, and none goes into a box", OUTSIDE)
    if behind := cop_behind(imports):
        raise CannotTravel(f"it imports {behind}, which has to do with AgentCop", MODULE)
    for each in imports:
        if (loaded := sys.modules.get(each)) is not None and origin_of(each, loaded).kind == "unknown":
            raise CannotTravel(f"it imports {each}, which has no file of that name", MODULE)
    used = used_by(imports)
    project = project_of(used.roots, used.missing, _own_root(module))
    return Parcel(module=module.__name__, name=name, source=source, path=project.path, mounts=project.mounts)


def _own_root(module: ModuleType) -> tuple[str, ...]:
    """The folder that the module's own imports look in first."""
    if module.__name__ != "__main__":
        root = origin_of(module.__name__, module).root
    else:
        file = vars(module).get("__file__")
        root = os.path.dirname(os.path.abspath(file)) if isinstance(file, str) else ""  # noqa: PTH100, PTH120 -- text
    return (root,) if root else ()


def _innermost(tool: Callable[..., object]) -> FunctionType:
    """What decorators that keep it in `__wrapped__`, as `lru_cache` does, have wrapped."""
    try:
        inner: object = inspect.unwrap(tool)
    except ValueError:  # they hold one another
        inner = None
    if not isinstance(inner, FunctionType):
        raise CannotTravel("it has no source text", MODULE)
    return inner


def _standing_alone(tool: object, written: FunctionType, standing: Standing) -> tuple[ast.stmt, str]:
    """The definition as it stands in a slice, and its name there."""
    if isinstance(standing.node, ast.Lambda):
        return ast.Assign(targets=[ast.Name(_LAMBDA, ast.Store())], value=standing.node), _LAMBDA
    scopes = [each for each in standing.above if isinstance(each, (*_SCOPES, ast.ClassDef))]
    if any(isinstance(each, ast.ClassDef) for each in scopes):
        if not isinstance(scopes[0], ast.ClassDef) or "<locals>" in written.__qualname__:
            raise CannotTravel("it is a method of a class inside of a function", MODULE)
        return scopes[0], written.__qualname__
    statement = deepcopy(standing.node)
    # Where the guard was given what stands here, no decorator below it has put anything around.
    statement.decorator_list = [] if tool is written else _below_the_guard(statement.decorator_list, written)
    if scopes and statement.name in _read_inside(statement):
        raise CannotTravel("a name that it reads is its own as well", "give it a name of its own")
    return statement, statement.name


def _read_inside(statement: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    other = deepcopy(statement)
    other.name = _LAMBDA
    return names_read(other)


def _below_the_guard(decorators: list[ast.expr], function: FunctionType) -> list[ast.expr]:
    """Without the lowest that is AgentCop's or a framework's, and all above it."""
    for number in range(len(decorators) - 1, -1, -1):
        root = decorators[number]
        while isinstance(root, ast.Call | ast.Attribute):
            root = root.func if isinstance(root, ast.Call) else root.value
        home = home_of(function.__globals__.get(root.id)) if isinstance(root, ast.Name) else None
        if is_cops(home) or is_frameworks(home):
            return decorators[number + 1 :]
    return decorators


def _class(tool: type) -> Parcel:
    module = sys.modules.get(tool.__module__)
    file = getattr(module, "__file__", None)
    if not isinstance(module, ModuleType) or "." in tool.__qualname__ or vars(module).get(tool.__name__) is not tool:
        raise CannotTravel("it is a class that its module does not hold by its name", MODULE)
    text = text_of(module, file if isinstance(file, str) else "")
    found = [each for each in text.statements if isinstance(each, ast.ClassDef) and each.name == tool.__name__]
    if not found:
        raise CannotTravel("its class is not in its module's text", MODULE)
    codes = [each.__code__ for each in vars(tool).values() if isinstance(each, FunctionType)]
    if not all(text.holds(code) for code in codes if code.co_filename == file):
        raise CannotTravel("its source text is not what has been loaded", AGAIN)
    return _parcel(module, text, found[-1], tool.__name__)
