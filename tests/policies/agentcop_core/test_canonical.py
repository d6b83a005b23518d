"""Freezing: what is judged is what runs, and nothing an argument does gets past or breaks it."""

from __future__ import annotations

import enum
import hashlib
import json
import marshal
import math
import sys
from collections import Counter, OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_core.canonical import MAX_BYTES, ArgumentRefused, digest, freeze, redigest, unchanged
from agentcop_core.canonical.frozen import _thoroughly
from agentcop_core.errors import AgentCopError, ToolBlocked

if TYPE_CHECKING:
    from collections.abc import Callable

UNICODE = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | UNICODE
KEYS = UNICODE | st.sampled_from(["$bytes", "$$bytes", "$opaque", "$int", "$float", "$key:1", "$"])
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)
HASHABLE = (
    SCALARS | st.binary() | st.decimals(allow_nan=False) | st.uuids() | st.datetimes() | st.dates() | st.timedeltas()
)


def _view(held: bytes) -> memoryview:
    return memoryview(held)


ANYTHING = st.recursive(
    HASHABLE | st.times() | st.binary().map(bytearray) | st.binary().map(_view) | st.just(object()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.sets(HASHABLE, max_size=3)
        | st.frozensets(HASHABLE, max_size=3)
    ),
    max_leaves=15,
)


def canonical(value: object) -> bytes:
    return freeze({"x": value}).canonical


def same(left: object, right: object) -> bool:
    """Equal in type as well as in value, as canonical JSON promises to tell apart."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float) and isinstance(right, float):
        return (math.isnan(left) and math.isnan(right)) or (
            left == right and math.copysign(1, left) == math.copysign(1, right)
        )
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


@given(st.dictionaries(KEYS, ANYTHING, max_size=4))
def test_freezing_the_frozen_values_changes_nothing(arguments: dict[str, object]) -> None:
    once = freeze(arguments)
    again = freeze(once.values)

    assert again.canonical == once.canonical
    assert again.plain == once.plain
    assert again.opaque == once.opaque
    assert redigest("tool", once.values) == digest("tool", once)


@given(st.dictionaries(KEYS, ANYTHING, max_size=4))
def test_canonical_is_the_json_of_plain(arguments: dict[str, object]) -> None:
    frozen = freeze(arguments)

    assert orjson.loads(frozen.canonical) == frozen.plain
    assert orjson.dumps(frozen.plain, option=orjson.OPT_SORT_KEYS) == frozen.canonical


@given(JSON, JSON)
def test_different_values_read_differently_and_equal_ones_the_same(left: object, right: object) -> None:
    assert (canonical(left) == canonical(right)) == same(left, right)


@given(st.dictionaries(KEYS, JSON, max_size=5))
def test_the_order_of_keys_does_not_matter(arguments: dict[str, object]) -> None:
    assert freeze(dict(reversed(arguments.items()))).canonical == freeze(arguments).canonical


@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_the_quick_and_the_thorough_walk_agree(arguments: dict[str, object]) -> None:
    quick, thorough = freeze(arguments), _thoroughly(arguments, MAX_BYTES)

    assert quick.canonical == thorough.canonical
    assert quick.plain == thorough.plain
    assert same(dict(quick.values), dict(thorough.values))


@given(st.dictionaries(UNICODE, JSON, max_size=4))
def test_values_are_what_was_given(arguments: dict[str, object]) -> None:
    assert same(dict(freeze(arguments).values), arguments)


def test_changing_the_original_afterwards_reaches_none_of_the_three_forms() -> None:
    inner: dict[str, Any] = {"path": "/tmp/ok", "list": [1], "set": {1}, "bytes": bytearray(b"ab")}
    original = {"inner": inner, "plain": {"rows": [[1], [2]]}}
    frozen = freeze(original)
    before = (frozen.canonical, repr(frozen.values), repr(frozen.plain))

    inner["path"] = "/etc/shadow"
    inner["list"].append(2)
    inner["set"].add(2)
    inner["bytes"][0] = 0
    original["plain"]["rows"][0].append(9)
    original["new"] = {}

    assert (frozen.canonical, repr(frozen.values), repr(frozen.plain)) == before


@pytest.mark.parametrize("arguments", [{"rows": [[1]]}, {"rows": ([1],)}, {"rows": [[1]], "at": date(2024, 1, 1)}])
def test_a_body_that_changes_its_arguments_does_not_change_what_was_judged(arguments: dict[str, Any]) -> None:
    frozen = freeze(arguments)
    before = digest("tool", frozen)

    values: Any = frozen.values
    values["rows"][0].append(2)

    assert arguments["rows"][0] == [1]
    assert frozen.plain["rows"] == [[1]]
    assert digest("tool", frozen) == before
    assert redigest("tool", frozen.values) != before


def test_a_flat_plain_form_is_apart_from_the_values_too() -> None:
    frozen = freeze({"path": "/tmp/ok"})
    frozen.values["path"] = "/etc/shadow"  # type: ignore[index]  # a hostile hook does not read type hints

    assert frozen.plain == {"path": "/tmp/ok"}


@pytest.mark.parametrize(
    "forged",
    [
        {"$opaque": "builtins.object"},
        {"$bytes": {"sha256": hashlib.sha256(b"abc").hexdigest(), "length": 3}},
        {"$float": "nan"},
        {"$int": str(2**70)},
        {"$key:1": "a"},
    ],
)
def test_no_user_value_can_forge_a_tag(forged: dict[str, object]) -> None:
    for real in (object(), b"abc", math.nan, 2**70, {1: "a"}):
        assert canonical(forged) != canonical(real)
    assert freeze({"x": forged}).values["x"] == forged
    assert freeze({"x": forged}).opaque == ()


def test_a_dollar_key_is_escaped_at_every_level_and_runs_as_given() -> None:
    frozen = freeze({"filter": {"$where": {"$$": 1}}, "$x": 2})

    assert frozen.plain == {"filter": {"$$where": {"$$$": 1}}, "$$x": 2}
    assert frozen.values == {"filter": {"$where": {"$$": 1}}, "$x": 2}


def test_a_key_that_is_no_string_differs_from_the_string_that_looks_like_it() -> None:
    assert freeze({"x": {1: "a"}}).plain == {"x": {"$key:1": "a"}}
    assert freeze({"x": {1: "a"}}).values == {"x": {1: "a"}}
    assert len({canonical({key: 0}) for key in (1, "1", 1.0, True, None, "null", b"1", (1,), "$key:1")}) == 9


def test_a_dict_reaches_the_body_in_the_order_of_its_keys() -> None:
    given: dict[str, object] = {"row": {"zip": 1, "city": "x"}, "rows": [{"b": 1, "a": 2}]}
    frozen = freeze(given)
    assert json.dumps(frozen.values) == json.dumps(given)
    assert frozen.canonical == b'{"row":{"city":"x","zip":1},"rows":[{"a":2,"b":1}]}'


def test_tuples_stay_tuples_and_read_like_lists() -> None:
    frozen = freeze({"point": (1, [2, (3,)]), "box": {"corner": (0, 0)}})

    assert frozen.values == {"point": (1, [2, (3,)]), "box": {"corner": (0, 0)}}
    assert frozen.plain == {"point": [1, [2, [3]]], "box": {"corner": [0, 0]}}


class Colour(enum.Enum):
    RED = "red"
    PAIR = ("a", 1)


class Level(enum.IntEnum):
    HIGH = 3


Point = namedtuple("Point", "x y")  # noqa: PYI024 -- the old spelling is what is under test


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (b"abc", {"$bytes": {"sha256": hashlib.sha256(b"abc").hexdigest(), "length": 3}}),
        (bytearray(b"abc"), {"$bytes": {"sha256": hashlib.sha256(b"abc").hexdigest(), "length": 3}}),
        (math.nan, {"$float": "nan"}),
        (-math.inf, {"$float": "-inf"}),
        (2**64 - 1, 2**64 - 1),
        (2**64, {"$int": "18446744073709551616"}),
        (-(2**63) - 1, {"$int": "-9223372036854775809"}),
        (1 << 4000, {"$int": f"{1 << 4000:#x}"}),
        (PurePosixPath("/tmp/../etc"), "/tmp/../etc"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (Decimal("1.50"), "1.50"),
        (Decimal("NaN"), "NaN"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 12, tzinfo=UTC), "2024-02-29T12:00:00+00:00"),
        (datetime(2024, 7, 1, tzinfo=ZoneInfo("Europe/Paris")), "2024-07-01T00:00:00+02:00"),
        (time(1, 2, 3), "01:02:03"),
        (timedelta(days=1, seconds=30), "P1DT30.000000S"),
        (Colour.RED, "red"),
        (Colour.PAIR, ["a", 1]),
        (Level.HIGH, 3),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        (Point(1, [2]), [1, [2]]),
        (OrderedDict(b=1, a=[2]), {"a": [2], "b": 1}),
        (Counter("aab"), {"a": 2, "b": 1}),
    ],
    ids=repr,
)
def test_what_json_cannot_say_is_written_as_documented_and_runs_as_itself(value: object, plain: object) -> None:
    frozen = freeze({"x": value})

    assert frozen.plain == {"x": plain}
    assert type(frozen.values["x"]) is type(value)
    assert frozen.values["x"] == value or value != value  # noqa: PLR0124 -- nan
    assert frozen.opaque == ()


def test_a_defaultdict_keeps_its_default_and_a_memoryview_its_bytes() -> None:
    values: Any = freeze({"d": defaultdict(list, a=[1]), "m": memoryview(b"abc")}).values

    assert values["d"]["missing"] == []
    assert values["d"]["a"] == [1]
    assert bytes(values["m"]) == b"abc"


class Loud(str):
    """Says something else each time anybody asks."""

    __slots__ = ()

    def __str__(self) -> str:
        raise AssertionError("asked")

    __repr__ = __eq__ = __hash__ = __len__ = __iter__ = __format__ = __reduce_ex__ = __str__  # type: ignore[assignment]


class Twin(str):
    """A key that says it equals no other."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return 1


class Big(int):
    def __int__(self) -> int:
        raise AssertionError("asked")

    __index__ = __str__ = __eq__ = __hash__ = __bool__ = __int__  # type: ignore[assignment]


def test_subclasses_of_scalars_run_and_read_by_their_inner_value() -> None:
    frozen = freeze({"s": Loud("text"), "n": Big(7), "f": type("F", (float,), {})(1.5), "k": {Twin("key"): 1}})

    assert frozen.plain == {"s": "text", "n": 7, "f": 1.5, "k": {"key": 1}}
    assert [type(value) for value in frozen.values.values()] == [str, int, float, dict]


@dataclass
class Address:
    street: str
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cached = self.street.upper()


@dataclass(frozen=True, slots=True)
class Money:
    amount: int
    notes: list[str]


class Order(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    item: str
    lines: list[dict[str, int]]
    where: Money
    _seen: int = pydantic.PrivateAttr(default=4)

    @pydantic.field_validator("item")
    @classmethod
    def once(cls, item: str) -> str:
        return item + "!"


def test_dataclasses_are_rebuilt_from_their_state_without_running_their_code() -> None:
    address = Address("High St", ["home"])
    address.cached = "CHANGED"
    money = Money(5, ["tip"])
    frozen = freeze({"a": address, "m": money})
    address.tags.append("work")
    money.notes.append("more")
    values: Any = frozen.values

    assert values["a"] == Address("High St", ["home"])
    assert values["a"].cached == "CHANGED"
    assert values["m"] == Money(5, ["tip"])
    assert frozen.plain["m"] == {"amount": 5, "notes": ["tip"]}
    assert frozen.plain["a"] == {"street": "High St", "tags": ["home"], "cached": "CHANGED"}


def test_pydantic_models_are_rebuilt_from_their_fields_without_validating_again() -> None:
    order = Order.model_validate({"item": "pen", "lines": [{"n": 1}], "where": Money(1, []), "gift": ["bow"]})
    frozen = freeze({"order": order})
    order.lines[0]["n"] = 99
    copy: Any = frozen.values["order"]

    seen = copy._seen  # noqa: SLF001 -- private state runs too
    assert (copy.item, copy.lines, copy.gift, seen) == ("pen!", [{"n": 1}], ["bow"], 4)
    assert type(copy) is Order
    assert copy.model_fields_set == order.model_fields_set
    assert frozen.plain["order"] == {
        "item": "pen!",
        "lines": [{"n": 1}],
        "where": {"amount": 1, "notes": []},
        "gift": ["bow"],
        "_seen": 4,
    }
    copy.item = "gun"
    assert redigest("buy", frozen.values) != digest("buy", frozen)


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


def test_a_dict_subclass_with_hostile_methods_is_read_by_its_contents() -> None:
    hostile = type.__call__(StrangeDict, {"a": [1]})
    frozen = freeze({"x": hostile})

    assert frozen.plain == {"x": {"a": [1]}}
    assert list(dict.items(frozen.values["x"])) == [("a", [1])]  # type: ignore[arg-type]
    assert freeze(hostile).values == {"a": [1]}


def test_a_container_keyed_by_a_live_object_is_live_itself() -> None:
    key = object()
    frozen = freeze({"by_object": {key: 1}, "members": {key}})

    assert frozen.plain == {"by_object": {"$opaque": "builtins.dict"}, "members": {"$opaque": "builtins.set"}}
    assert frozen.opaque == ("by_object", "members")


def _loop() -> object:
    loop: list[object] = []
    loop.append(loop)
    return loop


def _dict_loop() -> object:
    loop: dict[str, object] = {}
    loop["again"] = {"and": loop}
    return loop


def _laughs(wrap: Callable[[object], object]) -> object:
    bomb: object = ["ha"] * 10
    for _ in range(60):
        bomb = wrap(bomb)
    return bomb


def _deep(levels: int) -> object:
    deep: object = "x"
    for _ in range(levels):
        deep = [deep]
    return deep


@dataclass
class Node:
    next: object = None


def _node_loop() -> Node:
    node = Node()
    node.next = node
    return node


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (_loop(), "nested deeper than the limit of 100 levels"),
        (_dict_loop(), "nested deeper than the limit of 100 levels"),
        (_node_loop(), "nested deeper than the limit of 100 levels"),
        (_deep(5_000), "nested deeper than the limit of 100 levels"),
        (_laughs(lambda inner: [inner] * 10), "over the limit of 1048576 bytes"),
        (_laughs(lambda inner: (inner, inner)), "over the limit of 1048576 bytes"),
        (_laughs(lambda inner: {"a": inner, 1: inner}), "over the limit of 1048576 bytes"),
        (_laughs(lambda inner: {"a": inner, "$b": inner}), "over the limit of 1048576 bytes"),
        ("x" * 100_000_000, "over the limit of 1048576 bytes"),
        ({"y" * 2_000_000: 1}, "over the limit of 1048576 bytes"),
        (Loud("x" * 2_000_000), "over the limit of 1048576 bytes"),
        (b"x" * 2_000_000, "over the limit of 1048576 bytes"),
        (memoryview(bytearray(2_000_000)), "over the limit of 1048576 bytes"),
        (1 << 10_000_000, "over the limit of 1048576 bytes"),
        ([0] * 10_000_000, "over the limit of 1048576 bytes"),
        (Decimal((0, (1,) * 3_000_000, 0)), "over the limit of 1048576 bytes"),
        ("a\ud800b", "lone surrogate"),
        ({"\udfff": 1}, "lone surrogate"),
        ([Path("/\udcff")], "lone surrogate"),
        ({Twin("a"): 1, "a": 2}, "two keys that read the same"),
    ],
    ids=[*"abcdefghijklmnopqrst"],
)
def test_what_cannot_be_frozen_is_refused_with_the_argument_and_the_limit(value: object, reason: str) -> None:
    with pytest.raises(ArgumentRefused) as refused:
        freeze({"fine": 1, "body": value})

    assert "argument 'body'" in str(refused.value)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_bomb_is_refused_before_any_of_it_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    def copied(*_: object) -> object:
        raise AssertionError("copied before it was measured")

    monkeypatch.setattr(marshal, "dumps", copied)
    with pytest.raises(ArgumentRefused, match="over the limit"):
        freeze({"x": _laughs(lambda inner: (inner, inner))})


def test_the_limit_is_on_canonical_bytes_and_exact() -> None:
    arguments: dict[str, object] = {"x": "é" * 100, "y": [1, 2.5, None, True, {}]}
    size = len(freeze(arguments).canonical)

    assert freeze(arguments, max_bytes=size).canonical == freeze(arguments).canonical
    with pytest.raises(ArgumentRefused, match=f"over the limit of {size - 1}"):
        freeze(arguments, max_bytes=size - 1)


@given(st.dictionaries(UNICODE, JSON, max_size=4))
def test_nothing_within_the_limit_is_refused_by_an_estimate(arguments: dict[str, object]) -> None:
    size = len(freeze(arguments).canonical)

    assert len(_thoroughly(arguments, size).canonical) == size
    assert len(freeze(arguments, max_bytes=size).canonical) == size


def test_near_the_end_of_the_stack_a_call_is_frozen_or_refused_and_nothing_else_comes_out() -> None:
    outcomes: set[str] = set()

    def down(left: int) -> None:
        if left:
            down(left - 1)
            return
        try:
            freeze({"x": _deep(99), "tagged": b""})
            outcomes.add("frozen")
        except ArgumentRefused:
            outcomes.add("refused")

    for room in range(200, 700, 50):
        down(sys.getrecursionlimit() - room)

    assert outcomes <= {"frozen", "refused"}
    assert "refused" in outcomes


@pytest.mark.parametrize("arguments", [None, [("a", 1)], "text", {1: 2}, {b"a": 1}, {None: 1, "a": 2}], ids=repr)
def test_arguments_that_are_no_dict_of_names_are_refused(arguments: object) -> None:
    with pytest.raises(ArgumentRefused, match="the arguments"):
        freeze(arguments)  # type: ignore[arg-type]  # the point


def test_arguments_that_lie_about_being_a_dict_are_refused_unasked() -> None:
    hostile: Any = object.__new__(Liar)
    with pytest.raises(ArgumentRefused, match="the arguments are not a dict"):
        freeze(hostile)


def test_mappings_of_pythons_own_are_read_like_a_dict() -> None:
    for mapping in ({"a": 1}, OrderedDict(a=1), MappingProxyType({"a": 1}), type("D", (dict,), {})(a=1)):
        assert freeze(mapping).values == {"a": 1}


def test_a_released_memoryview_is_refused_by_name() -> None:
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(ArgumentRefused, match="argument 'view' could not be copied"):
        freeze({"view": view})


def test_a_refusal_is_ours_and_no_verdict() -> None:
    assert issubclass(ArgumentRefused, AgentCopError)
    assert not issubclass(ArgumentRefused, ToolBlocked)


def test_a_refusal_shows_a_hostile_name_escaped_and_cut_and_no_value() -> None:
    with pytest.raises(ArgumentRefused) as refused:
        freeze({"\u202e\n" + "n" * 500: "\ud800 my secret"})

    assert str(refused.value).isascii()
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 200
    assert "secret" not in str(refused.value)


def test_the_digest_covers_name_and_arguments_without_ambiguity() -> None:
    empty, one = freeze({}), freeze({"a": 1})

    assert digest("t", empty) == hashlib.sha256(b"t\0{}").hexdigest()
    assert len({digest(tool, frozen) for tool in ("t", "t\0", "", "t{}") for frozen in (empty, one)}) == 8
    assert len(digest("\ud800", empty)) == 64


def test_the_digest_is_the_same_in_every_process_and_release() -> None:
    """Approvals and logs outlive the process: a change here is a change of format."""
    frozen = freeze({"b": [1, 2.5, None], "a": "é\n", "c": {"$x": 2**70}, "d": b"x"})

    assert json.loads(frozen.canonical)["c"] == {"$$x": {"$int": "1180591620717411303424"}}
    assert digest("send", frozen) == "e15f8248d643f055c58b541509f9ffaf7cb37561559cfd9b0d81fdc8b7514dff"


@given(st.dictionaries(KEYS, ANYTHING, max_size=4))
def test_untouched_values_are_unchanged(arguments: dict[str, object]) -> None:
    assert unchanged(freeze(arguments))


@given(st.dictionaries(KEYS, ANYTHING, min_size=1, max_size=4), ANYTHING, st.data())
def test_a_replaced_value_is_a_change_exactly_if_the_digest_says_so(
    arguments: dict[str, object], other: object, data: st.DataObject
) -> None:
    frozen = freeze(arguments)
    values: Any = frozen.values
    values[data.draw(st.sampled_from(sorted(arguments)))] = other

    assert unchanged(frozen) == (redigest("tool", values) == digest("tool", frozen))


@pytest.mark.parametrize(
    ("value", "forgery"),
    [
        (b"abc", {"$bytes": {"sha256": hashlib.sha256(b"abc").hexdigest(), "length": 3}}),
        ({"$where": 1}, {"$$where": 1}),
        (None, math.nan),
        (math.nan, None),
        (math.nan, {"$float": "nan"}),
        ([1], [1.0]),
        ("a", object()),
        ("a", "\ud800"),
        ("a", _loop()),
    ],
    ids=[*"abcdefghi"],
)
def test_a_value_swapped_for_one_that_is_written_alike_is_a_change(value: object, forgery: object) -> None:
    frozen = freeze({"x": value, "y": 1})
    assert unchanged(frozen)
    values: Any = frozen.values
    values["x"] = forgery

    assert not unchanged(frozen)


def test_arguments_named_live_pass_by_reference_and_stand_as_opaque() -> None:
    shared = [1]
    frozen = freeze({"state": shared, "n": 1}, live=["state"])

    assert frozen.values["state"] is shared
    assert frozen.plain == {"state": {"$opaque": "builtins.list"}, "n": 1}
    assert frozen.opaque == ("state",)
    shared.append(2)
    assert unchanged(frozen)
    assert redigest("tool", frozen.values, live=["state"]) == digest("tool", frozen)
