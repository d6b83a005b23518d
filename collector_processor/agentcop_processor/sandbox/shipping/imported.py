"""The first way of shipping: the box imports the tool's module and finds it there by name."""

from __future__ import annotations

import sys
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.parcel import Parcel
from agentcop_processor.sandbox.shipping.imports import cop_behind, holds_cop, used_by
from agentcop_processor.sandbox.shipping.origins import is_cops, origin_of
from agentcop_processor.sandbox.shipping.project import project_of
from agentcop_processor.sandbox.shipping.reasons import MODULE, STAY, CannotTravel
from agentcop_processor.sandbox.shipping.text.texts import text_around

if TYPE_CHECKING:
    from collections.abc import Callable

_TOOL_BODIES: Final = ("func", "coroutine")
"""Where a framework's tool that a decorator made of a function holds that function."""


def by_import(tool: Callable[..., object] | type) -> Parcel:
    """A parcel that names `tool`, a function or a class. Raises CannotTravel."""
    module, name = _place(tool)
    found = _at(module, name)
    is_method = isinstance(found, MethodType) and isinstance(tool, MethodType)  # of a class: a new one each time
    if found is not tool and not (is_method and found == tool) and not _stands_for(found, tool):
        raise CannotTravel(f"{module.__name__} holds something else under its name", MODULE)
    return _parcel(module, name)


def by_holder(tool: Callable[..., object] | type) -> Parcel:
    """A parcel that names `search.func`, where a decorator made a framework's tool of the function `search`.

    The box needs the framework then. Raises CannotTravel.
    """
    module, name = _place(tool)
    held = getattr(_at(module, name), "__dict__", None)
    for body in _TOOL_BODIES:
        if isinstance(held, dict) and held.get(body) is tool:
            return _parcel(module, f"{name}.{body}")
    raise CannotTravel("no framework's tool holds it", MODULE)


def _place(tool: object) -> tuple[ModuleType, str]:
    """The module that the box would import, and the tool's name in there."""
    module_name, name = _names(tool)
    module = sys.modules.get(module_name)
    if not isinstance(module, ModuleType):
        raise CannotTravel("its module is not one that is imported", MODULE)
    if module_name == "__main__":
        raise CannotTravel("its module is the program itself", MODULE)
    if is_cops(module_name):
        raise CannotTravel("it is a part of AgentCop", f"wrap another tool {STAY}")
    return module, name


def _parcel(module: ModuleType, name: str) -> Parcel:
    known = module.__name__
    origin = origin_of(known, module)
    if sys.modules.get(known) is not module or origin.kind == "unknown":
        raise CannotTravel(f"its module {known} has no file of that name", MODULE)
    if origin.kind != "project":
        return Parcel(module=known, name=name)
    if holds_cop(module):
        raise CannotTravel(f"its module {known} has a cop in it", MODULE)
    if behind := cop_behind([known]):
        raise CannotTravel(f"its module {known} imports {behind}, which has to do with AgentCop", MODULE)
    used = used_by([known])
    project = project_of(used.roots, used.missing)
    return Parcel(module=known, name=name, path=project.path, mounts=project.mounts)


def _names(tool: object) -> tuple[str, str]:
    module = getattr(tool, "__module__", None)
    if module is None:  # a method of a builtin module
        module = getattr(getattr(tool, "__self__", None), "__name__", None)
    name = getattr(tool, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or not name:
        raise CannotTravel("it has no name to import it by", "write a function with `def`")
    if "<" in name:
        raise CannotTravel("it is defined inside of a function" if "<locals>" in name else "it is a lambda", MODULE)
    return module, name


def _at(module: ModuleType, name: str) -> object:
    """What a box finds by this name, without running anything of the module's."""
    first, *rest = name.split(".")
    found: object = vars(module).get(first)
    for part in rest:
        if not isinstance(found, type):
            return None
        found = getattr(found, part, None)
    return found


def _stands_for(found: object, tool: object) -> bool:
    """Whether `found` is the guard of `tool` that somebody put in its place: the module's own text has none there."""
    if not isinstance(found, FunctionType) or not isinstance(tool, FunctionType):
        return False
    cells = found.__closure__ or ()
    if "__agentcop_seam__" not in vars(found) or not any(_content(cell) is tool for cell in cells):
        return False
    return not getattr(text_around(tool).find(tool.__code__).node, "decorator_list", ())


def _content(cell: object) -> object:
    try:
        return getattr(cell, "cell_contents", None)
    except ValueError:  # empty
        return None
