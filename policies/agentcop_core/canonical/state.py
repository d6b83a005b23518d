"""The state of an object, read and rebuilt without running a line of its class.

Everything here goes through descriptors of C types: a class may override `__getattribute__`, lie in `__class__` or
define properties that raise, and none of it is called.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from types import GetSetDescriptorType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_METATYPE: Mapping[str, Any] = type.__dict__
_class_dict = _METATYPE["__dict__"].__get__
_flags = _METATYPE["__flags__"].__get__
_module = _METATYPE["__module__"].__get__
_mro = _METATYPE["__mro__"].__get__
_qualname = _METATYPE["__qualname__"].__get__

_HEAP_TYPE = 1 << 9
_MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What an instance holds: its slots by descriptor, and its `__dict__`."""

    slots: dict[str, tuple[MemberDescriptorType, object]]
    attributes: dict[str, object]
    """A shallow copy of the instance's `__dict__`; {} where it has none."""
    attributes_of: GetSetDescriptorType | None
    """Gives an instance's own `__dict__`; None where the class has none."""


def ancestry(kind: type) -> tuple[type, ...]:
    """The method resolution order, whatever the metaclass says about it."""
    order: tuple[type, ...] = _mro(kind)
    return order


def derives(order: tuple[type, ...], base: type) -> bool:
    """Whether `base` is in `order`, by identity: `in` would ask the metaclass's `__eq__`."""
    return any(one is base for one in order)


def defines(order: tuple[type, ...], names: Collection[str], *, before: type, known: type) -> bool:
    """Whether a class before `before` in `order` has an attribute of its own of one of these names; `known` may."""
    for one in order:
        if one is before:
            return False
        if one is not known and not _class_dict(one).keys().isdisjoint(names):
            return True
    return False


def layout(order: tuple[type, ...]) -> type:
    """The built-in type that decides the memory layout; `object` for an ordinary class."""
    return next((one for one in order if not _flags(one) & _HEAP_TYPE), object)


def is_enum(order: tuple[type, ...]) -> bool:
    """Whether it is an Enum's ancestry."""
    return derives(order, Enum)


def is_model(order: tuple[type, ...]) -> bool:
    """Whether it is a pydantic model's ancestry; pydantic is not imported to find out."""
    model = getattr(sys.modules.get("pydantic.main"), "BaseModel", None)
    return model is not None and derives(order, model)


def is_record(order: tuple[type, ...]) -> bool:
    """Whether it is a dataclass's or a pydantic model's ancestry."""
    return any("__dataclass_fields__" in _class_dict(one) for one in order) or is_model(order)


def type_name(kind: type) -> str:
    """`module.Qualified.Name`, printable UTF-8, at most 200 characters."""
    module, name = _module(kind), _qualname(kind)
    shown = f"{module if type(module) is str else '?'}.{str.__str__(name)}"
    return shown[:_MAX_NAME].encode("utf-8", "replace").decode("utf-8")


def read_state(instance: object, order: tuple[type, ...]) -> State | None:
    """All slots and attributes of `instance`; None if its class hides them behind code of its own."""
    slots: dict[str, tuple[MemberDescriptorType, object]] = {}
    attributes_of: GetSetDescriptorType | None = None
    for base in order:
        for name, entry in _class_dict(base).items():
            if type(entry) is MemberDescriptorType:
                if name in slots:
                    return None
                try:
                    slots[name] = (entry, entry.__get__(instance, base))
                except AttributeError:
                    continue
            elif name == "__dict__" and attributes_of is None and base is not object:
                if type(entry) is not GetSetDescriptorType:
                    return None
                attributes_of = entry
    attributes: object = attributes_of.__get__(instance) if attributes_of is not None else {}
    if type(attributes) is not dict or any(type(name) is not str for name in attributes):
        return None
    return State(slots=slots, attributes=dict(attributes), attributes_of=attributes_of)


def rebuild(kind: type, state: State, values: Mapping[str, object]) -> object | None:
    """A new `kind` holding `values` (one for each name of `state`); no `__new__`, `__init__` or setter of its runs.

    None if `kind` cannot be made that way.
    """
    try:
        made: object = object.__new__(kind)
    except TypeError:
        return None
    for name, (slot, _) in state.slots.items():
        slot.__set__(made, values[name])
    if state.attributes_of is not None:
        state.attributes_of.__get__(made).update({name: values[name] for name in state.attributes})
    return made
