"""Freezing: what is judged is what runs, and what is judged is said in one way only."""

from __future__ import annotations

import enum
import hashlib
import json
import math
from collections import Counter, OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_core.canonical import MAX_BYTES, digest, freeze, redigest, unchanged
from agentcop_core.canonical.frozen import _thoroughly
from argument_values import ANYTHING, JSON, KEYS, UNICODE, a_loop


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
        pytest.param(frozenset({"b", "a"}), ["a", "b"], id="frozenset"),  # its repr is another in each process
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
        ("a", a_loop()),
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
