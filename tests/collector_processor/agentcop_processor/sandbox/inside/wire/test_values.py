"""What may cross comes back as it was, of the same types; what may not is named; hostile JSON is a ValueError."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import enum
import math
import pathlib
import time
import uuid
import zoneinfo
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentcop_processor.sandbox.inside.wire import frames, values

_offsets = st.timedeltas(dt.timedelta(hours=-23), dt.timedelta(hours=23))
_zones = st.none() | st.builds(dt.timezone, _offsets) | st.builds(dt.timezone, _offsets, st.text(max_size=5))
_hashable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(1 << 80), 1 << 80)
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.complex_numbers()
    | st.decimals().filter(lambda number: not number.is_snan())
    | st.uuids()
    | st.dates()
    | st.times(timezones=_zones)
    | st.datetimes(timezones=_zones)
    | st.timedeltas(),
    lambda inner: st.lists(inner).map(tuple) | st.frozensets(inner),
    max_leaves=10,
)
_values = st.recursive(
    _hashable,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.sets(_hashable)
        | st.dictionaries(st.text() | st.sampled_from(["$", "v"]), inner)
        | st.dictionaries(_hashable, inner)
    ),
    max_leaves=20,
)
_TAGS = [
    "tuple",
    "set",
    "frozenset",
    "bytes",
    "int",
    "float",
    "complex",
    "dict",
    "date",
    "datetime",
    "time",
    "timedelta",
    "decimal",
    "uuid",
    "other",
]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(), inner)
        | st.fixed_dictionaries({"$": st.sampled_from(_TAGS), "v": inner})
    ),
    max_leaves=20,
)


def _spelt(value: Any) -> str:
    """A text that is the same for values that are equal and of the same types all through; nan is nan."""
    kind = type(value).__name__
    if isinstance(value, (list, tuple)):
        return f"{kind}({','.join(map(_spelt, value))})"
    if isinstance(value, (set, frozenset)):
        return f"{kind}({','.join(sorted(map(_spelt, value)))})"
    if isinstance(value, dict):
        return f"{kind}({','.join(f'{_spelt(key)}:{_spelt(item)}' for key, item in value.items())})"
    return f"{kind}({hex(value) if isinstance(value, int) else repr(value)})"


def _there_and_back(value: object) -> object:
    return values.decode(frames.loads(frames.dumps(values.encode(value))))


@given(_values)
@example({"$": "tuple", "v": []})
@example("\ud800")
@example([-0.0, math.nan, -math.inf, 1 << 20_000, Decimal("-0E+3"), Decimal("NaN12")])
@example(dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=dt.timezone(dt.timedelta(0), "GMT")))
def test_a_value_comes_back_equal_and_of_the_same_types(value: object) -> None:
    assert _spelt(_there_and_back(value)) == _spelt(value)


@given(_json)
@example({"$": "set", "v": [[]]})
@example({"$": "dict", "v": [[1]]})
@example({"$": "date", "v": [10**30, 1, 1]})
@example({"$": "datetime", "v": [2026, 1, 1, 0, 0, 0, 0, 0, 10**30, None]})
@example({"$": "timedelta", "v": [10**12, 0, 0]})
@example({"$": "decimal", "v": "one"})
@example({"$": "uuid", "v": "{}"})
@example({"$": "set", "v": [1, 1]})
@example({"$": "set", "v": [{"$": "decimal", "v": "sNaN"}]})
@example({"$": "complex", "v": [1.0]})
@example({"$": "int", "v": "0x"})
@example({"$": "tuple"})
@example({"$": 1, "v": 1})
def test_json_that_anybody_made_up_is_a_value_or_a_value_error(data: object) -> None:
    try:
        value = values.decode(data)
    except ValueError:
        return
    assert _spelt(_there_and_back(value)) == _spelt(value)


@given(st.binary())
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b"1" * 10_000)
@example(b"NaN")
@example(b"-Infinity")
@example(b"\xff")
@example(b"")
@example(b"{} {}")
def test_bytes_that_anybody_made_up_are_json_or_a_value_error(data: bytes) -> None:
    outcome: object
    try:
        outcome = frames.loads(data)
    except Exception as error:
        outcome = error
    assert outcome is None or isinstance(outcome, ValueError | bool | int | float | str | list | dict)


class _Colour(enum.IntEnum):
    RED = 1


class _Text(str):
    __slots__ = ()


_Point = collections.namedtuple("_Point", ["x", "y"])  # noqa: PYI024 -- the shape under test


@pytest.mark.parametrize(
    "value",
    [
        _Colour.RED,
        _Text("a"),
        _Point(1, 2),
        collections.OrderedDict(a=1),
        pathlib.PurePosixPath("/a"),
        dt.datetime(2026, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
        bytearray(b"a"),
        range(3),
        lambda: 1,
        object,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_would_come_back_as_something_else_does_not_go(value: object) -> None:
    with pytest.raises(values.Unsendable, match=r"type|zone"):
        values.encode(value)


def test_the_refusal_says_what_it_is_and_where() -> None:
    with pytest.raises(values.Unsendable) as refused:
        values.encode({"x": [1, {"y": {object()}}]}, "result")
    assert str(refused.value) == "a value of type builtins.object at result['x'][1]['y']{…}"


def test_a_refusal_deep_down_is_short() -> None:
    value: object = object()
    for _ in range(60):
        value = {"k" * 1000: value}
    with pytest.raises(values.Unsendable) as refused:
        values.encode(value, "result")
    assert len(str(refused.value)) < 1000


def test_a_list_in_itself_does_not_go() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(values.Unsendable, match="nested"):
        values.encode(value)


def test_a_hundred_levels_go_and_one_more_does_not() -> None:
    value: object = 1
    for _ in range(values.MAX_DEPTH):
        value = [value]
    assert _there_and_back(value) == value
    with pytest.raises(values.Unsendable, match="nested"):
        values.encode([value])
    with pytest.raises(ValueError, match="nested"):
        values.decode([value])


def test_a_value_that_holds_itself_many_times_over_is_refused_soon() -> None:
    value: list[object] = []
    for _ in range(60):
        value = [value, value]
    with pytest.raises(values.Unsendable, match="1000000 values"):
        values.encode(value)


def test_an_object_that_calls_itself_another_type_does_not_go() -> None:
    class Posing:
        @property  # type: ignore[misc]  # what a hostile class does
        def __class__(self) -> type:
            return int

    with pytest.raises(values.Unsendable, match="Posing at value"):
        values.encode(Posing())


@pytest.mark.parametrize("tag", ["set", "frozenset", "dict"])
def test_members_made_to_collide_are_refused_before_they_cost_time(tag: str) -> None:
    alike = [hash_ * ((1 << 61) - 1) for hash_ in range(1, 40_000)]
    data = {"$": tag, "v": [[key, 0] for key in alike] if tag == "dict" else alike}
    began = time.process_time()
    with pytest.raises(ValueError, match="one hash"):
        values.decode(data)
    assert time.process_time() - began < 20  # comparing them all takes minutes


def test_a_context_that_traps_nothing_changes_no_decimal() -> None:
    with decimal.localcontext(decimal.Context(prec=2, traps=[])):
        assert _there_and_back(Decimal("1.23456789")) == Decimal("1.23456789")


def test_a_uuid_comes_back() -> None:
    value = uuid.UUID(int=5)
    assert _there_and_back(value) == value
