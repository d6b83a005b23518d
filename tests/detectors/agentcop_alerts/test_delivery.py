from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from agentcop_alerts.delivery import GIVE_UP, Delivery
from agentcop_alerts.outbox import Outbox
from alerts import EMAIL, NOW, SLACK, WEBHOOK, alert, item, route
from slack_server import SlackServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Post:
    """An outbox, its delivery, and the channels it knows."""

    def __init__(self, folder: Path, environ: Mapping[str, str], *channels: str) -> None:
        self.outbox = Outbox(folder)
        targets = route(*channels).targets
        self.keys = [target.key for target in targets]
        self._deliveries = [Delivery(self.outbox, target, environ) for target in targets]

    def put(self, count: int = 1, to: int = 0) -> None:
        for number in range(count):
            self.outbox.put(item(id=f"i{to}-{number:03}", channel=self.keys[to], created=NOW + number / 1_000))

    def deliver(self, after: float = 1.0) -> float | None:
        moments = [delivery.deliver(NOW + after) for delivery in self._deliveries]
        return min((moment - NOW for moment in moments if moment is not None), default=None)

    def states(self) -> tuple[int, int, int]:
        """How many are pending, sent, failed."""
        outbox = self.outbox
        return len(outbox.items("pending")), len(outbox.items("sent")), len(outbox.items("failed"))


@pytest.fixture
def server() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


@pytest.fixture
def post(tmp_path: Path, server: SlackServer) -> Post:
    return Post(tmp_path, {"HOOK": server.url, "URL": server.hook}, SLACK, WEBHOOK)


def test_everything_that_waits_is_sent_oldest_first(post: Post, server: SlackServer) -> None:
    for number in (2, 0, 1):
        post.outbox.put(item(alert(tool=f"t{number}"), id=f"i{number}", channel=post.keys[0], created=NOW - 9 + number))

    assert post.deliver() is None

    assert [message["text"].split()[2] for message in server.messages] == ["t0", "t1", "t2"]
    assert post.states() == (0, 3, 0)


def test_a_channel_that_is_down_is_asked_ever_more_rarely_and_gets_all_when_it_is_up(
    post: Post, server: SlackServer, caplog: pytest.LogCaptureFixture
) -> None:
    post.put(20)
    server.answers += [(503, {}, "down")] * 9
    waits, now = [], 1.0
    with caplog.at_level(logging.WARNING, logger="agentcop"):
        while (again := post.deliver(now)) is not None:
            assert post.states() == (20, 0, 0)
            waits.append(round(again - now))
            now = again

    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert server.attempts == 9 + 20
    assert post.states() == (0, 20, 0)
    assert [record.getMessage() for record in caplog.records] == [
        "agentcop: alerts wait for slack (monitor.alert_channels[0]): Slack answered 503 down",
        "agentcop: slack (monitor.alert_channels[0]) takes alerts again",
    ]


def test_why_it_waits_stands_with_what_waits(post: Post, server: SlackServer) -> None:
    post.put()
    server.answers.append((503, {}, "down"))
    post.deliver()

    (waiting,) = post.outbox.items("pending")
    assert (waiting.attempts, waiting.reason, waiting.not_before) == (1, "Slack answered 503 down", NOW + 3)


def test_a_rate_limit_is_kept_to_the_second(post: Post, server: SlackServer) -> None:
    post.put(3)
    server.answers.append((429, {"Retry-After": "30"}, "rate_limited"))

    assert post.deliver(1.0) == 31.0
    assert post.deliver(30.9) == 31.0
    assert server.attempts == 1
    assert post.deliver(31.0) is None
    assert post.states() == (0, 3, 0)


def test_one_channel_that_is_down_does_not_hold_up_another(post: Post, server: SlackServer) -> None:
    post.put(2, to=0)
    post.put(2, to=1)
    server.answers.append((503, {}, "down"))
    post.deliver()

    assert len(server.posted) == 2
    assert post.states() == (2, 2, 0)


def test_a_message_that_the_channel_will_never_take_is_failed_with_its_reason(post: Post, server: SlackServer) -> None:
    post.put(2)
    server.answers.append((404, {}, "no_service"))

    assert post.deliver() is None

    (failed,) = post.outbox.items("failed")
    assert failed.reason == "Slack answered 404 no_service"
    assert len(post.outbox.items("sent")) == 1


def test_a_secret_that_is_unset_when_it_is_needed_is_a_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    post = Post(tmp_path, {}, SLACK)
    post.put()
    with caplog.at_level(logging.WARNING, logger="agentcop"):
        post.deliver()

    assert [each.reason for each in post.outbox.items("failed")] == ["${HOOK} is not set in this environment"]
    assert "${HOOK} is not set" in caplog.text


def test_a_mail_url_that_cannot_be_meant_is_a_failure(tmp_path: Path) -> None:
    post = Post(tmp_path, {"AGENTCOP_SMTP_URL": "smtp://u:canary@mail.example"}, EMAIL)
    post.put()
    post.deliver()

    (failed,) = post.outbox.items("failed")
    assert "clear text" in failed.reason
    assert "canary" not in failed.reason


def test_what_nobody_took_for_a_day_is_given_up(post: Post, server: SlackServer) -> None:
    post.put()
    server.answers += [(503, {}, "down")] * 2
    post.deliver(1.0)
    post.deliver(GIVE_UP + 10)

    assert post.states() == (0, 0, 1)


def test_a_roll_up_waits_for_the_end_of_its_window(post: Post, server: SlackServer) -> None:
    post.outbox.put(item(repeat=True, count=7, channel=post.keys[0], not_before=NOW + 300))

    assert post.deliver(1.0) == 300.0
    assert server.attempts == 0
    post.deliver(300.0)
    assert "(7 more)" in server.messages[0]["text"]


def test_a_message_whose_record_cannot_be_written_is_not_sent_twice(post: Post, server: SlackServer) -> None:
    post.put()
    (post.outbox.folder / "sent").rmdir()
    (post.outbox.folder / "sent").write_text("a file where the folder should be")

    post.deliver(1.0)
    post.deliver(10.0)

    assert len(server.messages) == 1
