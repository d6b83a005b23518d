"""Finds the tools that a plain object, dict or list holds, and puts each behind the gate where it stands."""

from __future__ import annotations

import functools
import inspect
import logging
from collections import deque
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from agentcop._guard import guard, is_guarded
from agentcop._install import install_tool
from agentcop._registry import register
from agentcop_core.errors import NotArmed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from agentcop.adapters._interface import Adapter
    from agentcop_processor.gate import Gate

_log = logging.getLogger("agentcop")
_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, functools.partial)
_MAX_DEPTH = 4


def is_function(obj: object) -> bool:
    """Whether this is guarded as a function: it has no state of its own that identity matters for."""
    return isinstance(obj, _FUNCTIONS)


def tool_name(obj: object) -> str:
    """What a policy calls this tool: its `name`, else its `__name__`, else its class."""
    if isinstance(obj, functools.partial):
        return tool_name(obj.func)
    for attribute in ("name", "__name__"):
        name = getattr(obj, attribute, None)
        if isinstance(name, str) and name:
            return name
    return type(obj).__name__


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
        """Guard an object by every way of calling it; False if it has none."""
        targets = tuple(self._adapter.targets(tool))
        held = [key for key, value in _attributes(tool) if key in {"run", "func", "function"} and is_function(value)]
        if not targets and not held:
            return False
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
        keys = list(container) if isinstance(container, dict) else range(len(container))
        before = len(self.found)
        for key in keys:
            value = container[key]
            if key == "__builtins__" or isinstance(value, ModuleType):
                continue
            name = self._name_in(container, key, value)
            if is_function(value):
                container[key] = self.function(value, name)
            elif isinstance(value, dict | list):
                self.container(value, depth + 1)
            elif isinstance(value, type | str | bytes | int | float) or self.tool_object(value, name):
                continue
            elif callable(value):  # such as a function behind lru_cache
                container[key] = self.function(value, name)
        return len(self.found) > before

    @staticmethod
    def _name_in(container: dict[Any, Any] | list[Any], key: object, value: object) -> str:
        if isinstance(container, dict):
            if (declared := _declared_name(container)) and is_function(value):
                return declared
            if isinstance(key, str):
                return key
        return tool_name(value)

    def attributes(self, obj: object) -> None:
        """Guard the tools in every dict, list and tuple that `obj` holds."""
        for key, value in list(_attributes(obj)):
            if isinstance(value, dict | list):
                self.container(value)
            elif type(value) is tuple and any(is_function(item) for item in value):
                items = list(value)
                self.container(items)
                replace_attribute(obj, key, tuple(items))

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
