from __future__ import annotations

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop.cli._output import colours, escape, escape_json, paint, shorten

ANY_TEXT = st.text(st.characters(categories=None))


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31m",
        "\x9b31m",
        "\x07",
        "a\nb",
        "\r",
        "\u202e",
        "\u2066",
        "\u200b",
        "\u2028",
        "\x7f",
        "\ud800",
        "\U000e0041",
    ],
)
def test_nothing_that_drives_a_terminal_gets_through(text: str) -> None:
    assert escape(text) != text
    assert escape(text).isprintable()
    assert escape(text).isascii()


@given(ANY_TEXT)
def test_escaped_text_holds_no_control_or_format_character(text: str) -> None:
    assert not [char for char in escape(text) if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.dictionaries(st.text(), inner, max_size=3)))
def test_escaped_json_means_the_same(value: object) -> None:
    escaped = escape_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(escaped) == value
    assert escaped.isprintable()


def test_plain_words_of_any_language_stay_readable() -> None:
    assert escape("Überweisung 振込 😀") == "Überweisung 振込 😀"


@given(ANY_TEXT, st.integers(1, 50))
def test_what_is_cut_is_counted(text: str, limit: int) -> None:
    short = shorten(text, limit)
    if len(text) <= limit:
        assert short == text
    else:
        assert short == f"{text[:limit]}… +{len(text) - limit} chars"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals_that_were_not_told_otherwise() -> None:
    assert colours(Terminal(), {})
    assert not colours(io.StringIO(), {})
    assert not colours(Terminal(), {"NO_COLOR": "1"})
    assert not colours(Terminal(), {"TERM": "dumb"})


def test_paint_leaves_text_alone_when_off() -> None:
    assert paint("block", "bad", on=False) == "block"
    assert "block" in paint("block", "bad", on=True)
