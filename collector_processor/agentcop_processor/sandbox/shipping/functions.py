"""The front: from a function or a class to its parcel, or to the reason why there is none."""

from __future__ import annotations

import functools
import inspect
from dataclasses import replace
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.shipping.by_source import by_source
from agentcop_processor.sandbox.shipping.imported import by_holder, by_import
from agentcop_processor.sandbox.shipping.reasons import MODULE, STAY, CannotTravel, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentcop_processor.sandbox.parcel import NotShippable, Parcel

_FUNCTION: Final = f"make it a function of its own {STAY}"


def ship_function(function: Callable[..., object], name: str = "") -> Parcel:
    """How a box makes this function: by importing it, else from its text.

    `function` is what the guard was given; `name` the tool's, for a refusal. Blocks on the file system, the first
    time for as long as it takes to look through its package. Raises NotShippable.
    """
    name = name or _named(function)
    try:
        if isinstance(function, MethodType):
            return _method(function)
        _refuse_shapes(function)
    except CannotTravel as refused:
        raise _not(name, refused) from None
    return _ship(function, name)


def ship_class(owner: type, init: Mapping[str, object], method: str) -> Parcel:
    """How a box makes an object of this class, of these arguments, and calls its method. Raises NotShippable."""
    return replace(_ship(owner, owner.__qualname__), init=init, method=method)


def _ship(tool: Callable[..., object] | type, name: str) -> Parcel:
    refused = []
    for way in (by_import, by_source, by_holder):
        try:
            return way(tool)
        except CannotTravel as why:
            refused.append(why)
        except (OSError, RecursionError, MemoryError) as error:
            refused.append(CannotTravel(f"its project cannot be read ({type(error).__name__})", MODULE))
    raise _not(name, *refused[:2])


def _method(function: MethodType) -> Parcel:
    """A bound method: of a class, or of an object that its class makes again without being told anything."""
    owner = function.__self__
    if isinstance(owner, type):
        return by_import(function)
    cls = type(owner)
    _refuse_streams(function.__func__)
    plain = cls.__init__ is object.__init__ and cls.__new__ is object.__new__
    if not plain or getattr(owner, "__dict__", None) or any(vars(each).get("__slots__") for each in cls.__mro__):
        raise CannotTravel("it is a method of an object, which would have to travel with it", _FUNCTION)
    if getattr(cls, function.__name__, None) is not function.__func__:
        raise CannotTravel("its class holds something else under its name", _FUNCTION)
    return ship_class(cls, {}, function.__name__)


def _refuse_shapes(function: Callable[..., object]) -> None:
    """Raises CannotTravel for what holds values, or is no function at all."""
    _refuse_streams(function)
    if "__agentcop_seam__" in getattr(function, "__dict__", ()):
        raise CannotTravel("it is guarded itself", "guard the tool or its function, not both")
    if isinstance(function, functools.partial | functools.partialmethod):
        raise CannotTravel("it is a partial, whose arguments would have to travel with it", _FUNCTION)
    if isinstance(function, BuiltinFunctionType) and not isinstance(function.__self__, ModuleType | None):
        raise CannotTravel("it is a method of an object, which would have to travel with it", _FUNCTION)
    if isinstance(function, FunctionType):
        owner = function.__qualname__.rpartition(".")[0]
        if owner and not owner.endswith("<locals>") and function.__code__.co_varnames[:1] in {("self",), ("cls",)}:
            raise CannotTravel("it is a method, whose object would have to travel with it", _FUNCTION)
    elif not isinstance(function, type | BuiltinFunctionType) and not hasattr(function, "__qualname__"):
        raise CannotTravel("it is an object that can be called, and would have to travel itself", _FUNCTION)


def _refuse_streams(function: Callable[..., object]) -> None:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise CannotTravel("it gives a stream, and a box gives one result", f"return a list {STAY}")


def _named(function: object) -> str:
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(name).rpartition("<locals>.")[2]


def _not(name: str, *refused: CannotTravel) -> NotShippable:
    """One sentence: why, by each way, and the way out."""
    whys = "; ".join(dict.fromkeys(each.why for each in refused))
    return refusal(name, whys, refused[-1].out)
