"""Freezing what lies about itself or is alive: it is read without being asked, or passed by reference and marked."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import pytest

from agentcop_core.canonical import ArgumentRefused, freeze
from argument_values import Loud, Twin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Big(int):
    def __int__(self) -> int:
        raise AssertionError("asked")

    __index__ = __str__ = __eq__ = __hash__ = __bool__ = __int__  # type: ignore[assignment]


def test_subclasses_of_scalars_run_and_read_by_their_inner_value() -> None:
    frozen = freeze({"s": Loud("text"), "n": Big(7), "f": type("F", (float,), {})(1.5), "k": {Twin("key"): 1}})

    assert frozen.plain == {"s": "text", "n": 7, "f": 1.5, "k": {"key": 1}}
    assert [type(value) for value in frozen.values.values()] == [str, int, float, dict]


class Liar:
    """Claims to be a string, and raises at every question."""

    @property  # type: ignore[misc]  # hostile
    def __class__(self) -> type:
        return str

    @property
    def __dict__(self) -> dict[str, object]:  # type: ignore[override]
        raise AssertionError("asked")

    def __getattribute__(self, name: str) -> object:
        raise AssertionError(name)

    def __hash__(self) -> int:
        raise AssertionError("asked")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("asked")

    def __iter__(self) -> object:
        raise AssertionError("asked")

    __len__ = __bool__ = __str__ = __repr__ = __reduce__ = __hash__  # type: ignore[assignment]


class LyingType(type):
    """A class whose own questions are answered by code."""

    def __hash__(cls) -> int:
        raise AssertionError("asked")

    def __eq__(cls, other: object) -> bool:
        raise AssertionError("asked")

    def __getattribute__(cls, name: str) -> object:
        raise AssertionError(name)

    def __instancecheck__(cls, instance: object) -> bool:
        raise AssertionError("asked")

    __subclasscheck__ = __instancecheck__


class Strange(metaclass=LyingType):
    pass


class StrangeDict(dict[str, object], metaclass=LyingType):
    def items(self) -> object:  # type: ignore[override]  # hostile
        raise AssertionError("asked")

    __iter__ = keys = values = __len__ = __getitem__ = items  # type: ignore[assignment]


class Zone(tzinfo):
    def utcoffset(self, when: datetime | None) -> timedelta:
        raise AssertionError("asked")

    dst = tzname = utcoffset  # type: ignore[assignment]


@dataclass
class HidesItsState:
    name: str

    __dict__ = property(lambda self: {"name": "innocent"})


class Counting(dict[str, object]):
    """Holds more than its parts."""

    def __init__(self) -> None:
        self.hidden = "state"


LIVE: dict[str, Callable[[], object]] = {
    "lies about its class": lambda: object.__new__(Liar),
    "class with a hostile metaclass": lambda: type.__call__(Strange),
    "the class itself": lambda: Strange,
    "datetime in a zone of code": lambda: datetime(2024, 1, 1, tzinfo=Zone()),
    "dataclass that hides its state": lambda: object.__new__(HidesItsState),
    "dict subclass with state": Counting,
    "function": lambda: print,
    "module": lambda: sys,
    "iterator": lambda: iter([1]),
    "complex": lambda: 1j,
}


@pytest.mark.parametrize("name", LIVE)
def test_a_live_object_passes_by_reference_unasked_and_is_marked(name: str) -> None:
    live = LIVE[name]()
    frozen = freeze({"deep": [{"x": live}], "other": 1})
    values: Any = frozen.values

    assert values["deep"][0]["x"] is live
    assert list(frozen.plain["deep"][0]["x"]) == ["$opaque"]  # type: ignore[index]
    assert frozen.opaque == ("deep",)


def test_arguments_in_a_dict_subclass_with_hostile_methods_are_read_by_its_contents() -> None:
    assert freeze(type.__call__(StrangeDict, {"a": [1]})).values == {"a": [1]}


class OtherItem(dict[str, object]):
    def __getitem__(self, key: str) -> object:
        return "/etc/shadow"


class OtherItems(list[object]):
    def __iter__(self) -> Iterator[object]:
        return iter(["/etc/shadow"])


class OtherAttributes(tuple[object, ...]):
    __slots__ = ()

    def __getattribute__(self, name: str) -> object:
        raise AssertionError("asked")


class InheritsIt(OtherItem):
    pass


OWN_READING: dict[str, type] = {
    "one item": OtherItem,
    "all items": OtherItems,
    "attributes": OtherAttributes,
    "inherited": InheritsIt,
    "a hostile metaclass": StrangeDict,
}


@pytest.mark.parametrize("name", OWN_READING)
def test_a_container_with_reading_of_its_own_is_live_for_its_body_would_see_something_else(name: str) -> None:
    hostile = type.__call__(OWN_READING[name], {"path": "data/ok"})
    frozen = freeze({"x": hostile})

    assert frozen.values["x"] is hostile
    assert (list(frozen.plain["x"]), frozen.opaque) == (["$opaque"], ("x",))  # type: ignore[call-overload]


def test_a_container_keyed_by_a_live_object_is_live_itself() -> None:
    key = object()
    frozen = freeze({"by_object": {key: 1}, "members": {key}})

    assert frozen.plain == {"by_object": {"$opaque": "builtins.dict"}, "members": {"$opaque": "builtins.set"}}
    assert frozen.opaque == ("by_object", "members")


def test_arguments_that_lie_about_being_a_dict_are_refused_unasked() -> None:
    hostile: Any = object.__new__(Liar)
    with pytest.raises(ArgumentRefused, match="the arguments are not a dict"):
        freeze(hostile)
