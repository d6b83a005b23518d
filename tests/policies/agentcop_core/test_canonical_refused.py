"""What cannot be frozen is refused: in bounded time, with the argument and the limit named and no value shown."""

from __future__ import annotations

import marshal
import sys
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_core.canonical import ArgumentRefused, freeze
from agentcop_core.canonical.frozen import _thoroughly
from agentcop_core.errors import AgentCopError, ToolBlocked
from argument_values import JSON, UNICODE, Loud, Twin, a_loop

if TYPE_CHECKING:
    from collections.abc import Callable


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
        (a_loop(), "nested deeper than the limit of 100 levels"),
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
