"""What a person is shown hides nothing; more of it in the tests of the command line, which shows most."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_core.escape import escape, escape_json

ANY_TEXT = st.text(st.characters(categories=None))


@pytest.mark.parametrize(
    "char",
    "\x1b\x9b\n\r\t\u202e\u2066\u200b\u2028\ufeff\u00a0\u3000\u034f\u115f\u1160\u17b4\u2800\u3164\ufe0f\uffa0\U000e0100\U000e0041",
    ids=ascii,
)
def test_what_cannot_be_seen_is_written_as_its_code(char: str) -> None:
    for shown in (escape(f"pay{char}me"), escape_json(f"pay{char}me")):
        assert char not in shown
        assert shown.isascii()
        assert shown != "payme"


@given(ANY_TEXT)
def test_nothing_invisible_is_left(text: str) -> None:
    assert not [char for char in escape(text) if unicodedata.category(char)[0] in "CZ" and char != " "]
    assert "\n" not in escape_json(text)


@given(st.recursive(st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner, max_size=3)))
def test_escaped_json_means_the_same(value: object) -> None:
    assert json.loads(escape_json(json.dumps(value, ensure_ascii=False))) == value


def test_lone_surrogates_are_shown() -> None:
    assert escape_json("\ud800") == "\\ud800"
