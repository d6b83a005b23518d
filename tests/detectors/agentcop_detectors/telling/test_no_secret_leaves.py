"""Canary secrets in everything that an agent can choose, and every outlet of the teller looked at."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from agent_spans import a_run, a_step
from agentcop_alerts.rollup import WINDOW
from agentcop_alerts.sinks.slack_bot import API
from alerts import BOT, EMAIL, SLACK, WEBHOOK
from slack_server import BOT_TOKEN, SlackServer, words
from smtp_sink import SmtpSink
from telling import Told, found

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SECRET = "AKIAIOSFODNN7CANARY1"
SPOKEN = '{"password": "canary in plain words", "q": "x"}'


def test_it_is_in_no_message_no_file_no_digest_and_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    texts = dict.fromkeys(("name", "result", "words", "message", "reason", "rule", "call_id", "session_id"), SECRET)
    steps = [
        a_step(1, verdict="block", status="error", arguments=SPOKEN, agent_id=SECRET, policy_version=SECRET, **texts),
        a_step(2, kind="model", name=SECRET, words=SECRET),
    ]
    run = a_run(*steps, session_id=SECRET, environment=SECRET)
    leaking = {"agent_id": SECRET, "reason": f"see {SECRET}", "evidence": (f"because {SECRET}",)}
    with caplog.at_level(logging.DEBUG), SlackServer() as server, SmtpSink() as sink:
        environ = {
            "HOOK": server.url,
            "URL": f"{server.hook}?key=canaryquery",
            "TOKEN": BOT_TOKEN,
            API: server.api,
            "AGENTCOP_SMTP_URL": f"smtp://127.0.0.1:{sink.port}",
        }
        links = "  links: {dashboard: 'http://g/{agent_id}', runbook: 'http://w/{tool}'}\n"
        told = Told(tmp_path, environ, SLACK, BOT, WEBHOOK, EMAIL, more=f"  max_alerts_per_day: 2\n{links}")
        told.find(*(found(number, tool=f"{SECRET} {number // 2}", **leaking) for number in range(8)), run=run)
        told.pass_time(WINDOW)
        told.pass_time(86_461)
        told.pass_time(61)
        told.end()

        kinds = [each["kind"] for each in server.posted]
        assert "digest" in kinds
        assert kinds.count("unenforced_call") >= 2
        assert len(server.messages) == len(server.said) == len(server.posted) == len(sink.mails)
        outlets = {
            "log": caplog.text,
            "webhook": str(server.posted),
            "slack": "".join(words(each) for each in server.messages),
            "bot": "".join(words(each) for each in server.said),
            "mail": "".join(
                str(part.get_content()) + str(part.get_filename() or "")
                for mail in sink.mails
                for part in mail.walk()
                if not part.is_multipart()
            ),
            "mail headers": "".join(str(mail.items()) for mail in sink.mails),
            "spool": "".join(path.read_text() for path in (tmp_path / "alerts").rglob("*.json")),
        }
    assert [name for name, text in outlets.items() if "canary" in text.lower()] == []
    assert any(part.get_filename() for mail in sink.mails for part in mail.walk())
