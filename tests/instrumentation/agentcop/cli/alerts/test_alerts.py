from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agentcop_alerts.outbox import Outbox
from alerts import NOW, alert, item
from slack_server import BOT_TOKEN, SECRET_PATH, SlackServer, words
from smtp_sink import SmtpSink

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
agent_id: billing
environment: staging
monitor:
  alert_channels:
    - {type: slack, webhook: '${HOOK}', min_severity: critical}
    - {type: email, to: sec@example.com, from: cop@example.com}
gate: {allow: [a]}
"""


def agentcop(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agentcop", "alerts", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )


@pytest.fixture
def policy_file(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return str(path)


@pytest.fixture
def outbox(agentcop_home: Path) -> Outbox:
    return Outbox(agentcop_home / "alerts")


def test_a_marked_test_alert_goes_through_every_channel(policy_file: str) -> None:
    with SlackServer() as server, SmtpSink() as sink:
        environ = {"HOOK": server.url, "AGENTCOP_SMTP_URL": f"smtp://127.0.0.1:{sink.port}"}
        done = agentcop("test", "--policy", policy_file, **environ)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "sent    slack (monitor.alert_channels[0])",
        "sent    email (monitor.alert_channels[1])",
    ]
    assert "Test alert by billing" in words(server.messages[0])
    assert "Test alert by billing" in sink.mails[0]["Subject"]


def test_one_channel_that_fails_is_exit_1_with_its_reason_and_the_others_are_tried(policy_file: str) -> None:
    with SmtpSink() as sink:
        environ = {"HOOK": f"http://127.0.0.1:1{SECRET_PATH}", "AGENTCOP_SMTP_URL": f"smtp://127.0.0.1:{sink.port}"}
        done = agentcop("test", "--policy", policy_file, "-f", "json", **environ)

    assert done.returncode == 1
    assert [each["sent"] for each in json.loads(done.stdout)["channels"]] == [False, True]
    assert "Connection refused" in done.stdout
    assert "canary" not in done.stdout + done.stderr


def test_a_bot_says_what_slack_answered(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    channel = "{type: slack, token: '${TOKEN}', channel: '#agents'}"
    path.write_text(f"agent_id: billing\nmonitor: {{alert_channels: [{channel}]}}\ngate: {{allow: [a]}}\n")
    with SlackServer() as server:
        environ = {"AGENTCOP_SLACK_API_URL": server.api}
        fine = agentcop("test", "--policy", str(path), TOKEN=BOT_TOKEN, **environ)
        wrong = agentcop("test", "--policy", str(path), "--json", TOKEN="xoxb-canary", **environ)

    assert (fine.returncode, fine.stdout) == (0, "sent    slack (monitor.alert_channels[0])\n")
    assert "Test alert by billing" in server.said[0]["text"]
    assert wrong.returncode == 1
    assert json.loads(wrong.stdout)["channels"][0]["reason"] == "Slack answered invalid_auth"
    assert "canary" not in wrong.stdout + wrong.stderr


def test_a_secret_that_is_not_set_is_named(policy_file: str) -> None:
    with SmtpSink() as sink:
        done = agentcop("test", "--policy", policy_file, AGENTCOP_SMTP_URL=f"smtp://127.0.0.1:{sink.port}")

    assert done.returncode == 1
    assert "failed  slack (monitor.alert_channels[0]): ${HOOK} is not set in this environment" in done.stdout


def test_a_policy_that_tells_nobody_cannot_be_tried(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("agent_id: a\ngate: {allow: [a]}\n", encoding="utf-8")

    done = agentcop("test", "--policy", str(path))

    assert done.returncode == 2
    assert "names no channel" in done.stderr


def test_the_list_says_what_was_sent_what_waits_and_what_failed_and_why(outbox: Outbox) -> None:
    outbox.settle("sent", item(id="a", created=NOW, settled=NOW))
    outbox.settle("failed", item(id="b", created=NOW + 1, settled=NOW, reason="Slack answered 404 no_service"))
    outbox.put(item(id="c", created=NOW + 2, repeat=True, count=7, attempts=3, reason="Slack answered 503"))
    outbox.lose(2)

    done = agentcop("list")

    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "a         sent      high      block  billing  shell",
        "          2027-01-15 08:00:00  gate.block[0]",
        "          → slack (monitor.alert_channels[0])",
        "b         failed    high      block  billing  shell",
        "          2027-01-15 08:00:01  gate.block[0]",
        "          → slack (monitor.alert_channels[0])  Slack answered 404 no_service",
        "c         pending   high      block  billing  shell",
        "          2027-01-15 08:00:02  gate.block[0]  7 more",
        "          → slack (monitor.alert_channels[0])  Slack answered 503 (3 attempts)",
    ]
    assert "2 alerts were lost" in done.stderr


def test_a_message_that_waits_says_when_it_is_due(outbox: Outbox) -> None:
    outbox.put(item(repeat=True, count=2, not_before=NOW + 300))

    pending = agentcop("list").stdout.splitlines()

    assert pending[-1].endswith("→ slack (monitor.alert_channels[0])  due 2027-01-15 08:05:00")


def test_the_list_as_json_and_by_state(outbox: Outbox) -> None:
    outbox.settle("sent", item(id="a", settled=NOW))
    outbox.put(item(id="c"))

    done = agentcop("list", "--state", "pending", "-f", "json")

    assert done.returncode == 0
    listed = json.loads(done.stdout)
    assert [(each["state"], each["id"], each["tool"]) for each in listed["alerts"]] == [("pending", "c", "shell")]
    assert listed["lost"] == 0


def test_hostile_names_cannot_drive_the_terminal(outbox: Outbox) -> None:
    outbox.put(item(alert(tool="\x1b[2J\u202e\r\nsent    fake", agent_id="\x9b31m")))

    for form in ("text", "json"):
        done = agentcop("list", "-f", form)
        assert len(done.stdout.splitlines()) == (3 if form == "text" else 1)
        assert done.stdout.replace("\n", "").isprintable()


def test_a_folder_that_is_not_there_is_no_empty_list(tmp_path: Path) -> None:
    done = agentcop("list", "--home", str(tmp_path / "nowhere"))

    assert done.returncode == 2
    assert "no state folder" in done.stderr


def test_nothing_to_list_is_said_and_is_fine(agentcop_home: Path) -> None:
    agentcop_home.mkdir(parents=True)

    done = agentcop("list")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "no alerts\n")


def test_a_message_is_shown_whole_and_taken_on_once(outbox: Outbox) -> None:
    outbox.settle("sent", item(id="1800-1-abcd", settled=NOW))

    shown = agentcop("show", "abcd")
    assert shown.returncode == 0
    assert "[high] Blocked: shell by billing" in shown.stdout
    assert '{"cmd":"ls"}' in shown.stdout

    first, second = agentcop("ack", "abcd", "--by", "kim"), agentcop("ack", "1800-1-abcd", "--by", "lee", "--json")
    assert (first.returncode, second.returncode) == (0, 1)
    assert first.stdout.startswith("abcd acknowledged by kim, 2")
    assert json.loads(second.stdout)["alerts"][0]["acknowledged_by"] == "kim"
    assert "acknowledged by kim" in agentcop("list").stdout
    assert agentcop("list", "--open").stdout == ""


def test_an_alert_that_is_not_there_and_one_that_still_waits_cannot_be_taken_on(outbox: Outbox) -> None:
    outbox.put(item(id="c"))

    missing, waits = agentcop("ack", "nope"), agentcop("ack", "c")
    assert (missing.returncode, waits.returncode) == (2, 2)
    assert "no alert nope" in missing.stderr
    assert "still waits to be sent" in waits.stderr
