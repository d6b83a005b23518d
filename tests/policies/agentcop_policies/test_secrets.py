"""Secrets are resolved by whoever sends, from the environment given."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_policies.secrets import SecretUnset, is_malformed, resolve, unset


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("plain", "plain"),
        ("${A}", "1"),
        ("x${A}y${B:-2}z", "x1y2z"),
        ("${A:-other}", "1"),
        ("${EMPTY:-2}", "2"),
        ("${B:-}", ""),
        ("$A {A}", "$A {A}"),
        ("${NESTED}", "${A}"),
    ],
)
def test_references_are_filled_in_once(text: str, resolved: str) -> None:
    assert resolve(text, {"A": "1", "EMPTY": "", "NESTED": "${A}"}) == resolved


def test_an_unset_variable_is_an_error_that_names_it() -> None:
    with pytest.raises(SecretUnset, match=r"\$\{B\} is not set") as caught:
        resolve("${A}${B}", {"A": "1"})

    assert caught.value.name == "B"
    assert pickle.loads(pickle.dumps(caught.value)).name == "B"  # noqa: S301 -- our own bytes
    assert unset("${A}${B}${B}${C:-x}", {"A": "1"}) == ("B",)


@pytest.mark.parametrize("text", ["${", "${A", "${}", "${1A}", "${A-B}", "${A}${", "${A:-{}}", "${ A }"])
def test_what_only_looks_like_a_reference_is_malformed(text: str) -> None:
    assert is_malformed(text)


@given(st.text(alphabet="${}A:-x", max_size=30))
def test_well_formed_text_resolves_when_all_is_set(text: str) -> None:
    if not is_malformed(text):
        environ = dict.fromkeys((f"{'A' * n}{'x' * m}" for n in range(31) for m in range(31)), "v")
        assert isinstance(resolve(text, environ) if not unset(text, environ) else "", str)
