from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_scanner.finding import Place
from agentcop_scanner.fingerprint import fingerprint, normalised
from findings import finding


def test_a_finding_is_the_same_after_lines_were_put_above_it_and_its_file_was_renamed() -> None:
    before = finding(line=3)
    after = replace(before, path="agents/renamed.py", place=Place(line=90), message="in other words")

    assert fingerprint(after) == fingerprint(before)
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(before))


@pytest.mark.parametrize(
    "other",
    [
        finding("AC122"),
        finding(function="load"),
        finding(snippet="open(base + other)"),
    ],
)
def test_another_rule_function_or_code_is_another_finding(other: object) -> None:
    assert fingerprint(other) != fingerprint(finding())  # type: ignore[arg-type]  # parametrize says object


def test_layout_and_comments_are_not_in_it() -> None:
    assert normalised("open( base\n    + name,  # noqa\n)") == normalised("open(base + name)")
    assert normalised("f('a  b')") != normalised("f('a b')")


@given(st.text(max_size=200))
def test_any_text_has_one(text: str) -> None:
    assert normalised(normalised(text)) is not None
    assert fingerprint(finding(snippet=text)) == fingerprint(finding(snippet=text))
