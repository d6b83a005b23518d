from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from agentcop_alerts.sinks import slack_bot
from agentcop_alerts.sinks.outcome import SendFailed
from agentcop_alerts.sinks.send import send
from agentcop_alerts.threads import Threads
from agentcop_alerts.wording import worded
from alerts import BOT, alert, item, route
from slack_server import BOT_TOKEN, SlackServer, live_parts, words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_alerts.item import Item


@pytest.fixture
def server() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


@pytest.fixture
def threads(tmp_path: Path) -> Threads:
    return Threads(tmp_path / "threads")


def post(server: SlackServer, threads: Threads, one: Item, token: str = BOT_TOKEN) -> None:
    (target,) = route(BOT).targets
    send(one, target, {"TOKEN": token, slack_bot.API: server.api}, threads)


def test_the_first_stands_in_the_channel_and_its_roll_up_below_it(server: SlackServer, threads: Threads) -> None:
    post(server, threads, item())
    post(server, threads, item(repeat=True, count=9))

    first, second = server.said
    assert first["channel"] == "#agents"
    assert "thread_ts" not in first
    assert (second["channel"], second["thread_ts"], second["reply_broadcast"]) == ("C0AGENTS", first["ts"], False)
    assert "(9 more)" in second["text"]


def test_a_thread_is_known_after_a_restart(server: SlackServer, tmp_path: Path) -> None:
    post(server, Threads(tmp_path / "threads"), item())
    post(server, Threads(tmp_path / "threads"), item(repeat=True))

    assert server.said[1]["thread_ts"] == server.said[0]["ts"]


def test_news_in_a_thread_is_shown_in_the_channel_too(server: SlackServer, threads: Threads) -> None:
    post(server, threads, item())
    post(server, threads, item(alert(severity="critical"), thread=item().thread))

    assert server.said[1]["reply_broadcast"] is True


def test_another_matter_is_another_thread(server: SlackServer, threads: Threads) -> None:
    post(server, threads, item())
    post(server, threads, item(alert(tool="other")))

    assert ["thread_ts" in each for each in server.said] == [False, False]


def test_where_the_first_message_was_deleted_a_new_thread_is_opened(server: SlackServer, threads: Threads) -> None:
    post(server, threads, item())
    server.said.clear()
    post(server, threads, item(repeat=True))

    assert ["thread_ts" in each for each in server.said] == [False]


@pytest.mark.parametrize("error", ["channel_not_found", "invalid_auth", "is_archived", "missing_scope"])
def test_what_another_attempt_cannot_mend_is_given_up(server: SlackServer, threads: Threads, error: str) -> None:
    server.replies = [{"ok": False, "error": error}]

    with pytest.raises(SendFailed, match=f"Slack answered {error}") as failed:
        post(server, threads, item())
    assert failed.value.final


@pytest.mark.parametrize(
    "answer",
    [
        (429, {"Retry-After": "7"}, '{"ok": false, "error": "ratelimited"}'),
        (503, {}, "<html>down</html>"),
        (200, {"Content-Type": "application/json"}, '{"ok": false, "error": "internal_error"}'),
        (200, {"Content-Type": "application/json"}, "no json"),
    ],
)
def test_what_may_pass_is_tried_again(
    server: SlackServer, threads: Threads, answer: tuple[int, dict[str, str], str]
) -> None:
    server.answers = [answer]

    with pytest.raises(SendFailed) as failed:
        post(server, threads, item())
    assert not failed.value.final
    assert failed.value.retry_after == (7 if answer[0] == 429 else 0)


def test_the_token_is_in_no_error_and_no_log(
    server: SlackServer, threads: Threads, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(SendFailed) as failed:
            post(server, threads, item(), token="xoxb-canarywrong")
        post(server, threads, item())
        server.stop()
        with pytest.raises(SendFailed) as down:
            post(server, threads, item())

    assert "canary" not in caplog.text + str(failed.value) + str(down.value)
    assert failed.value.final
    assert not down.value.final


@pytest.mark.parametrize("base", ["http://slack.example/api/", "ftp://x/", "slack.com", "https://[::1/"])
def test_a_token_goes_over_tls_or_to_this_machine(base: str) -> None:
    with pytest.raises(SendFailed, match=slack_bot.API):
        slack_bot.send("xoxb-x", "#agents", worded(item(), {}), None, {slack_bot.API: base})


def test_hostile_text_mentions_nobody_and_keeps_to_the_limits(server: SlackServer, threads: Threads) -> None:
    hostile = "<!channel> <@U1> @here ``` " * 4_000
    lines = tuple("<!here> " * 40 for _ in range(60))
    post(server, threads, item(alert(tool=hostile, reason=hostile, arguments=hostile), timeline=lines))

    assert server.refused == []
    assert live_parts(server.said[0]) == []
    assert "… +" in words(server.said[0])
    assert server.said[0]["text"].strip()
