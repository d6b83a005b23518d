"""A box holds only if it says so itself, fact by fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_processor.sandbox.boxes.probe import ALWAYS, misses, readings

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPECTED: Mapping[str, object] = {"memory": 268_435_456, "pids": 64, "python": "3.11.2"}
GOOD: Mapping[str, object] = {**ALWAYS, **EXPECTED}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def only(facts: Mapping[str, object], expected: Mapping[str, object] = EXPECTED) -> str:
    (miss,) = misses(facts, expected)
    return miss


def test_a_box_that_is_as_it_was_asked_for_holds() -> None:
    assert misses(GOOD, EXPECTED) == ()


@pytest.mark.parametrize("name", [*ALWAYS, *EXPECTED])
def test_a_fact_that_is_not_told_is_a_miss(name: str) -> None:
    facts = {key: value for key, value in GOOD.items() if key != name}
    assert "the box does not say" in only(facts)


@pytest.mark.parametrize("name", ALWAYS)
def test_an_engine_cannot_ask_for_less_than_every_box_must_be(name: str) -> None:
    weak = {"seccomp": 0, "no_new_privs": 0, "uid": 0, "gid": 0, "root_writable": True, "dumpable": 1, "pid": 7}
    weaker = {"interfaces": ["eth0", "lo"], "cap_eff": "ffffffff", **weak}[name]
    assert only({**GOOD, name: weaker}, {**EXPECTED, name: weaker})


def test_a_limit_that_is_not_there_says_what_most_often_takes_it_away() -> None:
    assert only({**GOOD, "memory": None}) == (
        "memory limit: 256 MiB was asked for, the box has none (rootless Podman on cgroup v1 ignores limits)"
    )


@pytest.mark.parametrize(("name", "value"), [("memory", 268_435_457), ("memory", 0), ("pids", 65), ("pids", -1)])
def test_a_limit_that_is_wider_or_none_at_all_is_a_miss(name: str, value: int) -> None:
    assert only({**GOOD, name: value})


def test_a_limit_that_is_tighter_holds() -> None:
    assert misses({**GOOD, "memory": 1024, "pids": 1}, EXPECTED) == ()


def test_a_newer_landlock_holds_and_none_is_a_miss() -> None:
    assert misses({**GOOD, "landlock": 6}, {**EXPECTED, "landlock": 1}) == ()
    assert "older than 5.13" in only({**GOOD, "landlock": 0}, {**EXPECTED, "landlock": 1})


def test_true_is_not_one_and_a_number_is_no_text() -> None:
    assert "no answer: True" in only({**GOOD, "no_new_privs": True})
    assert "no answer: 0" in only({**GOOD, "cap_eff": 0})


def test_another_network_interface_is_named() -> None:
    assert only({**GOOD, "interfaces": ["eth0", "lo"]}).startswith(
        "network interfaces: lo was asked for, the box has eth0"
    )


def test_what_a_box_says_is_cut_before_it_is_shown() -> None:
    assert len(only({**GOOD, "python": "3" * 10_000})) < 400


def test_every_fact_is_listed_with_what_was_asked_and_found() -> None:
    by_name = {each.name: each for each in readings({**GOOD, "uid": 0}, EXPECTED)}
    assert set(by_name) == {*ALWAYS, *EXPECTED}
    assert (by_name["memory"].asked, by_name["memory"].found, by_name["memory"].miss) == ("256 MiB", "256 MiB", "")
    assert (by_name["uid"].asked, by_name["uid"].found) == ("65534", "0")
    assert by_name["uid"].miss


@given(facts=st.dictionaries(st.sampled_from(sorted(GOOD)) | st.text(), JSON))
def test_whatever_a_box_says_is_compared_without_raising(facts: dict[str, object]) -> None:
    missed = misses(facts, EXPECTED)
    assert len(missed) == sum(bool(each.miss) for each in readings(facts, EXPECTED))
    assert missed  # nothing here is a box
