"""Finds the tools that a plain object, dict or list holds, and puts each behind the gate where it stands."""

from __future__ import annotations

import functools
import inspect
import logging
import weakref
from collections import deque
from types import (
    BuiltinFunctionType,
    FunctionType,
    MappingProxyType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any

from agentcop._frameworked import govern
from agentcop._seams.guard import guard, is_guarded
from agentcop._seams.install import install_tool
from agentcop._seams.registry import register
from agentcop._toolname import tool_name
from agentcop.adapters.generic import ENTRIES
from agentcop_core.errors import NotArmed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from agentcop.adapters._interface import Adapter
    from agentcop_processor.gate import Gate

_log = logging.getLogger("agentcop")
_FUNCTIONS = (
    FunctionType,
    BuiltinFunctionType,
    MethodType,
    MethodDescriptorType,
    MethodWrapperType,
    WrapperDescriptorType,
    functools.partial,
    type(functools.lru_cache(len)),
)
_SEALED = (set, frozenset, deque, MappingProxyType)
"""Collections whose tools cannot be guarded where they stand."""
_MAX_DEPTH = 4


def is_function(obj: object) -> bool:
    """Whether this is guarded as a function: it has no state of its own that identity matters for."""
    return isinstance(obj, _FUNCTIONS)


class Holdings:
    """Guards what it is shown and remembers the names: `found` lists the tools now behind the gate."""

    def __init__(self, gate: Gate, adapter: Adapter) -> None:
        """`adapter` says how tool objects are called."""
        self._gate = gate
        self._adapter = adapter
        self.found: list[str] = []

    def function(self, function: Callable[..., Any], name: str, live: Collection[str] = ()) -> Callable[..., Any]:
        """A guarded function in place of this one; the parameters in `live` are passed as they are."""
        self.found.append(name)
        return guard(function, name, self._gate, live)

    def tool_object(self, tool: object, name: str) -> bool:
        """Guard an object by every way of calling it, or as its framework's adapter does; False if it has none.

        Raises NotArmed if it has one that would stay open.
        """
        if governed := govern(tool, self._gate):
            self.found.append(governed)
            return True
        targets = tuple(self._adapter.targets(tool))
        held = dict.fromkeys((*_own_ways(tool), *_bound_ways(tool)))
        if not targets and not held:
            return False
        if _is_no_method(type(tool), "__call__"):
            message = f"{type(tool).__qualname__}.__call__ is no plain method: a call of {name!r} could not be judged"
            raise NotArmed(message)
        for target in targets:
            install_tool(target)
        register(tool, "tool", name, self._gate)
        for key in held:
            replace_attribute(tool, key, guard(getattr(tool, key), name, self._gate))
        self.found.append(name)
        return True

    def container(self, container: dict[Any, Any] | list[Any], depth: int = 0) -> bool:
        """Guard every tool in it, in place; False if it holds none. Modules and a namespace's builtins are no tools."""
        if depth > _MAX_DEPTH:
            return False
        before = len(self.found)
        classes: list[str] = []
        for key in list(container) if isinstance(container, dict) else range(len(container)):
            value = container[key]
            if key == "__builtins__" or isinstance(value, ModuleType | str | bytes | int | float):
                continue
            name = self._name_in(container, key, value)
            if isinstance(value, type):
                classes.append(name)
            elif (guarded := self._guarded(value, name, depth)) is not value:
                container[key] = guarded
        holds_tools = len(self.found) > before
        if holds_tools and classes:
            raise NotArmed(
                f"{classes[0]!r} is a class among tools, whose calls cannot be judged: put an instance there"
            )
        return holds_tools

    def _guarded(self, value: Any, name: str, depth: int) -> object:  # noqa: ANN401 -- whatever a container holds
        """What stands in a container in place of `value`: itself where it is guarded in place, or is no tool."""
        if is_function(value):
            return self.function(value, name)
        if isinstance(value, tuple):
            return self.sequence(value, depth + 1)
        if isinstance(value, dict | list):
            self.container(value, depth + 1)
        elif isinstance(value, _SEALED):
            self._refuse_sealed(value)
        elif not self.tool_object(value, name) and callable(value) and not isinstance(value, weakref.ref):
            return self.function(value, name)  # such as a function behind lru_cache
        return value

    def sequence(self, items: tuple[Any, ...], depth: int = 0) -> tuple[Any, ...]:
        """The tuple with every function in it guarded; the same object if it holds none."""
        guarded = list(items)
        self.container(guarded, depth)
        if all(new is old for new, old in zip(guarded, items, strict=True)):
            return items
        return tuple.__new__(type(items), guarded)

    @staticmethod
    def _refuse_sealed(value: Collection[Any]) -> None:
        """Raise NotArmed for a collection of functions that nothing can be replaced in."""
        if any(is_function(item) for item in (value.values() if isinstance(value, MappingProxyType) else value)):
            raise NotArmed(
                f"the tools in a {type(value).__name__} cannot be guarded where they stand: use a list or dict"
            )

    @staticmethod
    def _name_in(container: dict[Any, Any] | list[Any], key: object, value: object) -> str:
        if isinstance(container, dict):
            if (declared := _declared_name(container)) and is_function(value):
                return declared
            if isinstance(key, str):
                return key
        return tool_name(value)

    def attributes(self, obj: object) -> None:
        """Guard the tools in every dict, list and tuple that `obj` holds, and what a framework's adapter knows."""
        for key, value in list(_attributes(obj)):
            if isinstance(value, dict | list):
                self.container(value)
            elif governed := govern(value, self._gate):
                self.found.append(governed)
            elif isinstance(value, tuple):
                if (guarded := self.sequence(value)) is not value:
                    replace_attribute(obj, key, guarded)
            elif isinstance(value, _SEALED):
                self._refuse_sealed(value)

    @staticmethod
    def left_out(obj: object) -> list[str]:
        """The attributes of `obj` and its class with functions that are not guarded: tools perhaps, or a callback.

        A single function under a private name is taken for part of the machinery, such as a clock or a model.
        """
        own = dict(_attributes(obj))
        inherited = {key: value for cls in type(obj).__mro__ for key, value in vars(cls).items() if key[:2] != "__"}
        return [
            *(
                key
                for key, value in own.items()
                if key[:1] != "_" and _unguarded(value) and getattr(value, "__self__", None) is not obj
            ),
            *(key for key, value in inherited.items() if key not in own and _holds_unguarded(value)),
            *(key for key, value in own.items() if _holds_unguarded(value)),
        ]

    def methods(self, obj: object, names: tuple[str, ...]) -> None:
        """Guard the methods that are named, on this object; see those that `cop.tool` has guarded in the class."""
        for name in names:
            method = getattr(obj, name, None)
            if not is_function(method) and not isinstance(method, type) and self.tool_object(method, name):
                continue
            if isinstance(method, type) or not callable(method):
                message = f"{type(obj).__qualname__} has no method or tool object {name!r} to guard"
                raise NotArmed(message)
            replace_attribute(obj, name, self.function(method, name))
        for name, _ in inspect.getmembers_static(type(obj), is_guarded):
            self.found.append(name)


def _unguarded(value: object) -> bool:
    return is_function(value) and not is_guarded(value)


def _holds_unguarded(value: object) -> bool:
    if isinstance(value, dict | MappingProxyType):
        return any(_unguarded(held) for held in list(value.values()))
    return isinstance(value, list | tuple | set | frozenset | deque) and any(_unguarded(held) for held in list(value))


def _declared_name(entry: dict[Any, Any]) -> str:
    """The name in an entry of a registry: `{"name": …}`, or as model APIs have it, `{"function": {"name": …}}`."""
    schema = entry.get("function")
    for name in (entry.get("name"), schema.get("name") if isinstance(schema, dict) else None):
        if isinstance(name, str) and name:
            return name
    return ""


def _own_ways(tool: object) -> Iterator[str]:
    """Attributes of the object itself by which it is called, or which its methods call."""
    for key, value in _attributes(tool):
        if is_function(value) if key in {"func", "function"} else key in ENTRIES and callable(value):
            yield key


def _bound_ways(tool: object) -> Iterator[str]:
    """Ways of its class that are no plain methods (static and partial ones, callable objects), as bound to it."""
    for key in ENTRIES:
        if key != "__call__" and _is_no_method(type(tool), key) and callable(getattr(tool, key)):
            yield key


def _is_no_method(owner: type, attribute: str) -> bool:
    """Whether the class has this attribute, and it is something else than a plain method."""
    definer = next((cls for cls in owner.__mro__ if attribute in vars(cls)), None)
    return definer is not None and not inspect.isfunction(vars(definer)[attribute])


def replace_attribute(obj: object, name: str, value: object) -> None:
    """Set it even where the class checks or freezes its attributes. Raises NotArmed where nothing can be set."""
    try:
        object.__setattr__(obj, name, value)
    except (AttributeError, TypeError) as error:
        message = f"{type(obj).__qualname__}.{name} cannot be replaced by its guarded form: {error}"
        raise NotArmed(message) from error


def _attributes(obj: object) -> Iterator[tuple[str, object]]:
    """The object's own attributes, those in slots too; properties are not run."""
    yield from dict(getattr(obj, "__dict__", {})).items()
    for cls in type(obj).__mro__:
        slots = vars(cls).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in {"__dict__", "__weakref__"} and hasattr(obj, name):
                yield name, getattr(obj, name)
