from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_alerts.wording import shorten, worded
from alerts import alert, item


def test_the_order_is_what_who_with_what_why_and_where_to_look() -> None:
    text = worded(item(trace_link="http://jaeger/trace/{trace_id}"), {}).plain()

    places = [
        text.index(found)
        for found in (
            "[high] Blocked: shell by billing",
            "the tool did not run",
            "agent billing",
            "tool shell",
            '{"cmd":"ls"}',
            'blocked by gate.block[0] ("shell")',
            "rule gate.block[0] [policy.yaml:4:10], policy version 7",
            "agentcop gate log --session s1",
            "http://jaeger/trace/0af7651916cd43dd8448eb211c80319c",
        )
    ]
    assert places == sorted(places)


def test_an_observed_block_does_not_say_that_anything_was_stopped() -> None:
    text = worded(item(alert(kind="would_block")), {}).plain()

    assert "Would have blocked (mode: observe)" in text
    assert "the tool ran" in text
    assert "did not run" not in text


def test_a_test_says_that_nothing_happened() -> None:
    text = worded(item(alert(kind="test", session_id="", tool="", rule="")), {}).plain()

    assert "Test alert" in text
    assert "Nothing happened" in text


def test_a_roll_up_says_how_many_and_since_when() -> None:
    text = worded(item(count=12, repeat=True, since=1_800_000_000.0, note="this rule fired on 5 agents"), {}).plain()

    assert "(12 more)" in text
    assert "12 more of this kind since 2027-01-15 08:00:00 UTC" in text
    assert "this rule fired on 5 agents" in text


@pytest.mark.parametrize(
    ("link", "trace_id", "expected"),
    [
        ("http://j/{trace_id}", "ab", "http://j/ab"),
        ("${JAEGER}/{trace_id}", "ab", "https://jaeger.example/ab"),
        ("${UNSET}/{trace_id}", "ab", ""),
        ("http://j/{trace_id}", "", ""),
        ("", "ab", ""),
        ("javascript:alert({trace_id})", "ab", ""),
        ("${EVIL}/{trace_id}", "ab", ""),
    ],
)
def test_a_trace_is_linked_only_where_the_link_leads_to_it(link: str, trace_id: str, expected: str) -> None:
    environ = {"JAEGER": "https://jaeger.example", "EVIL": "http://x\r\nBcc: a@b"}

    assert worded(item(alert(trace_id=trace_id), trace_link=link), environ).trace_url == expected


@given(st.text(), st.text(), st.text())
def test_no_text_of_an_agent_can_begin_a_line_of_its_own_or_hide(tool: str, reason: str, session: str) -> None:
    message = worded(item(alert(tool=tool, reason=reason, session_id=session, arguments=reason)), {})

    assert message.title.isprintable()
    assert len(message.title) <= 140
    assert all(line.isprintable() for part in message.parts for line in part.text.split("\n"))
    assert sum(part.text.count("\n") for part in message.parts) <= 3


@given(st.text(), st.integers(8, 60))
def test_what_is_cut_is_counted(text: str, limit: int) -> None:
    short = shorten(text, limit)

    assert len(short) <= limit
    if short != text:
        kept, _, cut = short.rpartition("… +")
        assert text.startswith(kept)
        assert len(kept) + int(cut) == len(text)
