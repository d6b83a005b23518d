from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_alerts.links import Link
from agentcop_alerts.sinks import slack
from agentcop_alerts.sinks.outcome import SendFailed
from agentcop_alerts.wording import Part, Worded, worded
from alerts import ALERT, alert, item
from slack_server import SECRET_PATH, SlackServer, live_parts, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_core.alert import Alert


@pytest.fixture(scope="module")
def server() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _clean(server: SlackServer) -> None:
    server.messages.clear()
    server.answers.clear()


def message(of: Alert = ALERT) -> Worded:
    return worded(item(of, trace_link="http://jaeger/{trace_id}?a=1&b=2"), {})


def test_a_message_has_a_fallback_and_a_link_to_its_trace(server: SlackServer) -> None:
    slack.send(server.url, message())

    (posted,) = server.messages
    assert posted["text"].startswith("[high] Blocked: shell by billing · agent billing")
    assert "<http://jaeger/0af7651916cd43dd8448eb211c80319c?a=1&amp;b=2|Open trace>" in words(posted)


HOSTILE = "<!channel> <@U123> <#C1|x> @here ```\n*bold* <https://evil.example|Open trace> &lt;!here&gt;"


def test_hostile_text_mentions_nobody_links_nowhere_and_stays_in_its_block(server: SlackServer) -> None:
    slack.send(server.url, message(alert(tool=HOSTILE, agent_id=HOSTILE, reason=HOSTILE, arguments=HOSTILE)))

    (posted,) = server.messages
    assert live_parts(posted) == []
    text = words(posted)
    assert text.count("```") == 4
    assert "<https://evil" not in text
    assert "@here" not in text
    assert "&amp;lt;!here" in text


def test_what_is_too_long_is_cut_and_counted_and_still_taken(server: SlackServer) -> None:
    slack.send(
        server.url,
        message(alert(arguments="<&" * 500_000, reason="r" * 9_000, evidence=("e" * 500,) * 200, tool="t" * 400)),
    )

    (posted,) = server.messages
    assert words(posted).count("… +") >= 3


@given(st.lists(st.text(min_size=1), min_size=1, max_size=120), st.text(max_size=4_000))
def test_every_message_keeps_to_slacks_limits(texts: list[str], title: str) -> None:
    parts = tuple(Part(label="x", text=text, look="code") for text in texts)
    made = slack.blocks(Worded(title=title or "t", parts=parts, links=(Link(label="Open trace", url="http://j/1"),)))

    assert len(made) <= 50
    assert all(len(block["text"]["text"]) <= 3_000 for block in made)


@given(st.text(alphabet="<>&@`ab", max_size=200))
def test_escaped_text_holds_nothing_that_slack_acts_on(text: str) -> None:
    escaped = slack.escape(text)

    assert not set(escaped) & set("<>`")
    assert "@a" not in escaped


def test_being_asked_to_wait_is_passed_on(server: SlackServer) -> None:
    server.answers.append((429, {"Retry-After": "17"}, "rate_limited"))

    with pytest.raises(SendFailed) as failed:
        slack.send(server.url, message())

    assert (failed.value.retry_after, failed.value.final) == (17.0, False)
    assert "429 rate_limited" in failed.value.reason


@pytest.mark.parametrize(
    ("status", "body", "final"),
    [(404, "no_service", True), (403, "action_prohibited", True), (500, "oops", False), (503, "<html>", False)],
)
def test_what_slack_answers_decides_whether_it_is_tried_again(
    server: SlackServer, status: int, body: str, final: bool
) -> None:
    server.answers.append((status, {}, body))

    with pytest.raises(SendFailed) as failed:
        slack.send(server.url, message())

    assert failed.value.final is final
    assert "<html>" not in failed.value.reason


def test_the_address_is_in_no_error_and_no_log(server: SlackServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        slack.send(server.url, message())
        server.answers.append((500, {}, server.url))
        with pytest.raises(SendFailed) as failed:
            slack.send(server.url, message())
        with pytest.raises(SendFailed) as refused:
            slack.send(f"http://127.0.0.1:1{SECRET_PATH}", message())
        with pytest.raises(SendFailed) as senseless:
            slack.send(f"ftp://x{SECRET_PATH}", message())

    said = [caplog.text, *(str(each.value) for each in (failed, refused, senseless))]
    assert [text for text in said if "canary" in text] == []
    assert "Connection refused" in refused.value.reason
