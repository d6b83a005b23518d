from __future__ import annotations

import pytest

from agentcop_alerts.sinks import webhook
from agentcop_alerts.sinks.outcome import SendFailed
from agentcop_alerts.wording import worded
from alerts import alert, item
from slack_server import SlackServer

ITEM = item(alert(tool='x"}<\u202e'), count=3, repeat=True)


def test_the_alert_is_posted_as_json_with_all_of_its_fields() -> None:
    with SlackServer() as server:
        webhook.send(server.hook, ITEM, worded(ITEM, {}))

    (posted,) = server.posted
    assert (posted["tool"], posted["count"], posted["repeat"]) == ('x"}<\u202e', 3, True)
    assert (posted["fingerprint"], posted["severity"], posted["rule"]) == (ITEM.thread, "high", "gate.block[0]")


@pytest.mark.parametrize(
    ("status", "headers", "final", "wait"),
    [
        (500, {}, False, 0.0),
        (429, {"Retry-After": "3"}, False, 3.0),
        (503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, False, 0.0),
        (400, {}, True, 0.0),
        (302, {"Location": "http://127.0.0.1:1/elsewhere"}, True, 0.0),
    ],
)
def test_an_answer_that_is_no_yes_is_a_failure(status: int, headers: dict[str, str], final: bool, wait: float) -> None:
    server = SlackServer()
    server.answers.append((status, headers, ""))
    with server, pytest.raises(SendFailed) as failed:
        webhook.send(server.hook, ITEM, worded(ITEM, {}))

    assert (failed.value.final, failed.value.retry_after) == (final, wait)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://127.0.0.1:1/canary", "http://[canary", "http://x y/canary"]
)
def test_an_address_that_cannot_be_reached_is_not_repeated(url: str) -> None:
    with pytest.raises(SendFailed) as failed:
        webhook.send(url, ITEM, worded(ITEM, {}))

    assert "canary" not in str(failed.value)
