from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import pytest

from agentcop_alerts.delivery import GIVE_UP
from agentcop_alerts.outbox import Outbox
from agentcop_alerts.rollup import WINDOW
from agentcop_alerts.sender import AlertSender
from alerts import EMAIL, NOW, SLACK, WEBHOOK, alert, item, route
from slack_server import SlackServer, words
from smtp_sink import SmtpSink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


class Clock:
    """A time that moves when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sender(tmp_path: Path, server: SlackServer, clock: Clock) -> AlertSender:
    return AlertSender(tmp_path / "alerts", environ={"HOOK": server.url, "URL": server.hook}, clock=clock)


def test_an_alert_reaches_every_channel(sender: AlertSender, server: SlackServer, tmp_path: Path) -> None:
    with SmtpSink() as sink:
        environ = {"HOOK": server.url, "URL": server.hook, "AGENTCOP_SMTP_URL": f"smtp://127.0.0.1:{sink.port}"}
        sender = AlertSender(tmp_path / "alerts", environ=environ)
        assert sender.submit(alert(), route(SLACK, EMAIL, WEBHOOK))
        assert sender.drain(20)

        assert (len(server.messages), len(server.posted), len(sink.mails)) == (1, 1, 1)
    assert len(sender.outbox.items("sent")) == 3


def test_a_thousand_blocks_are_one_message_and_one_roll_up(
    sender: AlertSender, server: SlackServer, clock: Clock
) -> None:
    to = route(SLACK)
    for _ in range(1_000):
        sender.submit(alert(), to)
    assert sender.drain(20)
    assert len(server.messages) == 1

    clock.now += WINDOW
    assert sender.drain(20)

    assert len(server.messages) == 2
    assert "(999 more)" in server.messages[1]["text"]


def test_taking_an_alert_costs_microseconds_even_while_the_channel_hangs(
    sender: AlertSender, server: SlackServer
) -> None:
    server.hold = threading.Event()
    to = route(SLACK)
    sender.submit(alert(), to)
    taken = []
    for _ in range(2_000):
        before = time.perf_counter()
        sender.submit(alert(), to)
        taken.append(time.perf_counter() - before)
    server.hold.set()

    assert sorted(taken)[len(taken) // 2] < 0.001
    assert sender.drain(20)


def test_a_channel_gets_only_what_is_severe_enough(sender: AlertSender, server: SlackServer) -> None:
    to = route("{type: slack, webhook: '${HOOK}', min_severity: critical}", WEBHOOK)

    assert sender.submit(alert(), to)
    assert sender.submit(alert(severity="critical"), to)
    assert sender.drain(20)

    assert (len(server.messages), len(server.posted)) == (1, 2)
    assert not sender.submit(alert(severity="low"), route("{type: slack, webhook: '${HOOK}', min_severity: high}"))


def test_a_secret_that_is_not_set_is_logged_and_recorded_and_leaves_the_alert_to_the_detector(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sender = AlertSender(tmp_path / "alerts", environ={})
    with caplog.at_level(logging.WARNING, logger="agentcop"):
        assert not sender.submit(alert(), route(SLACK))
        assert not sender.submit(alert(tool="other"), route(SLACK))
        assert sender.drain(20)

    assert [each.reason for each in sender.outbox.items("failed")] == ["${HOOK} is not set in this environment"] * 2
    assert [record.getMessage() for record in caplog.records] == [
        "agentcop: alerts cannot be sent to slack (monitor.alert_channels[0]): ${HOOK} is not set in this environment"
    ]


def test_one_channel_that_works_is_enough_to_answer_for_the_alert(sender: AlertSender) -> None:
    assert sender.submit(alert(), route("{type: webhook, url: '${UNSET}'}", WEBHOOK))
    assert sender.drain(20)

    assert (len(sender.outbox.items("sent")), len(sender.outbox.items("failed"))) == (1, 1)


def test_what_is_left_goes_out_at_the_next_arming(sender: AlertSender, server: SlackServer, tmp_path: Path) -> None:
    to = route(SLACK)
    server.answers += [(503, {}, "down")]
    sender.submit(alert(), to)
    sender.drain(20)
    assert len(sender.outbox.items("pending")) == 1

    later = AlertSender(tmp_path / "alerts", environ={"HOOK": server.url}, clock=lambda: NOW + 60)
    later.arm(to)

    server.wait_for(1)
    assert later.drain(20)
    assert later.outbox.items("pending") == []


def test_a_message_for_a_channel_that_no_policy_has_waits_a_day_for_one(tmp_path: Path, clock: Clock) -> None:
    outbox = Outbox(tmp_path / "alerts")
    outbox.put(item(channel="gone"))
    for later, states in ((60, (1, 0)), (GIVE_UP + 60, (0, 1))):
        clock.now = NOW + later
        sender = AlertSender(tmp_path / "alerts", environ={}, clock=clock)
        sender.arm(route(SLACK))
        assert sender.drain(20)
        assert (len(outbox.items("pending")), len(outbox.items("failed"))) == states

    assert "no policy" in outbox.items("failed")[0].reason


def test_a_channel_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    with SlackServer() as hanging, SlackServer() as working:
        hanging.hold = threading.Event()
        sender = AlertSender(tmp_path / "alerts", environ={"HOOK": hanging.url, "OTHER": working.url})
        sender.submit(alert(), route(SLACK, "{type: slack, webhook: '${OTHER}'}"))

        working.wait_for(1)
        assert hanging.messages == []
        hanging.hold.set()
        assert sender.drain(20)

    assert len(sender.outbox.items("sent")) == 2


def test_an_agent_that_crashes_and_restarts_is_told_of_once(tmp_path: Path, server: SlackServer, clock: Clock) -> None:
    to = route(SLACK)
    for _ in range(10):
        sender = AlertSender(tmp_path / "alerts", environ={"HOOK": server.url}, clock=clock)
        sender.arm(to)
        sender.submit(alert(), to)
        sender.close(20)
        clock.now += 1
    assert len(server.messages) == 1

    clock.now += WINDOW
    last = AlertSender(tmp_path / "alerts", environ={"HOOK": server.url}, clock=clock)
    last.arm(to)

    assert "(9 more)" in server.wait_for(2)[1]["text"]


def test_a_disk_that_takes_nothing_does_not_keep_people_from_hearing(
    sender: AlertSender, server: SlackServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "alerts"
    in_the_way.write_text("a file where the folder should be")
    with caplog.at_level(logging.ERROR, logger="agentcop"):
        assert sender.submit(alert(), route(SLACK))
        assert sender.drain(20)

    assert len(server.messages) == 1
    (record,) = caplog.records
    assert "alerts go out unsaved" in record.getMessage()


SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dcCANARY"


def test_no_secret_is_in_any_outlet(server: SlackServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), SmtpSink() as sink:
        environ = {
            "HOOK": server.url,
            "URL": f"{server.hook}?key=canaryquery",
            "AGENTCOP_SMTP_URL": f"smtp://canaryuser:canarypassword@127.0.0.1:{sink.port}",
        }
        sender = AlertSender(tmp_path / "alerts", environ=environ)
        literal = "{type: slack, webhook: 'http://127.0.0.1:1/canaryliteral'}"
        leaking = alert(
            **dict.fromkeys(("agent_id", "tool", "reason", "arguments", "session_id", "environment"), f"see {SECRET}"),
            evidence=(f"because {SECRET}",),
        )
        sender.submit(leaking, route(SLACK, WEBHOOK, EMAIL, literal))
        sender.drain(20)

    outlets = [
        caplog.text,
        *(words(each) for each in server.messages),
        *(str(each) for each in server.posted),
        *(raw.decode() for raw in sink.raw),
        *(path.read_text() for path in (tmp_path / "alerts").rglob("*.json")),
    ]
    assert len(server.messages) == 1
    assert [each for each in outlets if "canary" in each.lower()] == []


def test_two_senders_of_one_folder_send_each_message_once(tmp_path: Path, server: SlackServer) -> None:
    to = route(SLACK)
    senders = [AlertSender(tmp_path / "alerts", environ={"HOOK": server.url}) for _ in range(4)]
    for number, sender in enumerate(senders * 5):
        sender.submit(alert(tool=f"t{number}"), to)
    for sender in senders:
        sender.drain(20)

    assert len(server.wait_for(20)) == 20
    for sender in senders:
        sender.drain(20)
    assert len(server.messages) == 20
    assert Outbox(tmp_path / "alerts").items("pending") == []
