from __future__ import annotations

import pytest

from agentcop_alerts.sinks.outcome import SendFailed
from agentcop_alerts.sinks.smtp_server import SmtpServer, smtp_server


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", SmtpServer()),
        ("smtp://mail.example", SmtpServer(host="mail.example", port=25)),
        ("smtp://mail.example/?starttls=1", SmtpServer(host="mail.example", port=587, encryption="starttls")),
        (
            "smtps://cop%40example.com:p%2Fw@mail.example",
            SmtpServer(host="mail.example", port=465, encryption="tls", user="cop@example.com", password="p/w"),
        ),
        (
            "smtp://u:p@mail.example:2525?starttls=true&ca=/etc/ca.pem",
            SmtpServer(
                host="mail.example", port=2525, encryption="starttls", user="u", password="p", ca_file="/etc/ca.pem"
            ),
        ),
        ("smtp://u:p@127.0.0.1:2525", SmtpServer(host="127.0.0.1", port=2525, user="u", password="p")),
    ],
)
def test_the_address_says_where_how_and_as_whom(url: str, expected: SmtpServer) -> None:
    assert smtp_server({"AGENTCOP_SMTP_URL": url}) == expected


@pytest.mark.parametrize(
    "url",
    [
        "smtp://u:canary@mail.example",
        "http://u:canary@mail.example",
        "smtp://u:canary@mail.example:x",
        "smtp://u:canary@mail.example?startls=1",
        "smtp://u:canary@mail.example?starttls=maybe",
        "smtp://u:can/ary@mail.example?starttls=1",
        "canary",
    ],
)
def test_what_cannot_be_meant_is_refused_without_repeating_the_password(url: str) -> None:
    with pytest.raises(SendFailed, match="AGENTCOP_SMTP_URL") as failed:
        smtp_server({"AGENTCOP_SMTP_URL": url})

    assert failed.value.final
    assert "canary" not in str(failed.value)


def test_a_password_is_not_in_the_repr() -> None:
    assert "canary" not in repr(smtp_server({"AGENTCOP_SMTP_URL": "smtps://u:canary@h"}))
