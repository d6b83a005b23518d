"""One tool, one name: disguises fall away, and look-alikes stay strangers."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_core.names import MAX_NAME, UNNAMED, canonical_name


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("send_email", "send_email"),
        ("  send_email\n", "send_email"),
        ("send\u200b_\u2060em\ufeffail", "send_email"),
        ("send\x00_email\x1b", "send_email"),
        ("\u202esend_email\u202c", "send_email"),
        ("\uff53\uff45\uff4e\uff44\uff3f\uff45\uff4d\uff41\uff49\uff4c", "send_email"),
        ("send_email\ufe0f\U000e0101", "send_email"),
        ("send\u00ad\u034f\u3164_email", "send_email"),
        ("\ud800send_email", "send_email"),
        ("\U0001d42c\U0001d41e\U0001d427\U0001d41d_\U0001d41e\U0001d426\U0001d41a\U0001d422\U0001d425", "send_email"),
        ("Send_Email", "Send_Email"),
        ("send-email", "send-email"),
        ("send  email", "send  email"),
        ("server.tool/v1", "server.tool/v1"),
        ("<lambda>", "<lambda>"),
        ("メール", "メール"),
        ("", UNNAMED),
        (" \u200b\ufeff ", UNNAMED),
    ],
)
def test_what_cannot_be_seen_falls_away_and_what_can_be_seen_stays(given_name: str, name: str) -> None:
    assert canonical_name(given_name) == name


def test_a_cyrillic_letter_makes_another_name() -> None:
    assert canonical_name("s\u0435nd_email") != "send_email"


@given(st.text() | st.text(st.sampled_from("a\u0301\u200d\ufe0fﾞｶ\u1100\u1161\u115f\ufb03 \t\ufdfa"), max_size=40))
def test_a_canonical_name_is_its_own_canonical_name(name: str) -> None:
    once = canonical_name(name)

    assert canonical_name(once) == once
    assert once == once.strip()
    assert 0 < len(once) <= MAX_NAME
    assert not {unicodedata.category(char) for char in once} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(st.characters(categories=["L", "N", "P"]), min_size=1).map(canonical_name), st.data())
def test_invisible_characters_anywhere_change_nothing(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name)))
    hidden = data.draw(st.sampled_from(["\u200b", "\u2060", "\ufeff", "\x07", "\u202e", "\U000e0041"]))

    assert canonical_name(name[:at] + hidden + name[at:]) == name


def test_long_names_that_share_a_beginning_stay_apart_and_bounded() -> None:
    names = {canonical_name("x" * size) for size in (256, 257, 258, 5_000, 5_001, 1_000_000)}

    assert len(names) == 6
    assert {len(name) for name in names} == {MAX_NAME}
    assert "x" * 256 in names


def test_a_str_subclass_is_read_by_its_inner_value() -> None:
    class Shifty(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise AssertionError("asked")

        __eq__ = __hash__ = isascii = strip = __str__  # type: ignore[assignment]

    name = canonical_name(Shifty("shell"))

    assert type(name) is str
    assert name == "shell"
