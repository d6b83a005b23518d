"""A mail server and a Slack-shaped endpoint on free ports of this machine, for the alerts of the replay.

    sinks = Sinks().start()
    os.environ.update(sinks.environ)
    ...
    sinks.wait()

They take what comes and keep it; nothing leaves the machine.
"""

from __future__ import annotations

import email
import email.policy
import itertools
import json
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, cast

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Mapping
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK: Final = "127.0.0.1"
PATIENCE: Final = 10.0
"""Seconds that an alert may take from the block to here."""


class Sinks:
    """Both, from `start` on. Their threads end with the process, so that alerts sent at its end are still taken."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._mails: list[EmailMessage] = []
        self._posts: list[dict[str, object]] = []
        self.environ: Mapping[str, str] = {}
        """The variables that lead a policy's channels here; set by `start`."""

    def start(self) -> Sinks:
        """Listen; gives itself."""
        slack = ThreadingHTTPServer((LOOPBACK, 0), type("Handler", (_SlackHandler,), {"sinks": self}))
        threading.Thread(target=slack.serve_forever, daemon=True).start()
        mail = _MailServer(self, hostname=LOOPBACK, port=0)
        mail.start()
        self.environ = {
            "SLACK_WEBHOOK": f"http://{LOOPBACK}:{slack.server_port}/services/local",
            "AGENTCOP_SMTP_URL": f"smtp://{LOOPBACK}:{mail.port}",
        }
        return self

    def wait(self, seconds: float = PATIENCE) -> bool:
        """Until each has got something; False if that takes longer."""
        with self._arrived:
            return self._arrived.wait_for(lambda: bool(self._mails and self._posts), seconds)

    @property
    def mail(self) -> EmailMessage | None:
        """The first mail, if one came."""
        return next(iter(self._mails), None)

    @property
    def slack(self) -> dict[str, object] | None:
        """The first message that was posted, if one was."""
        return next(iter(self._posts), None)

    def take_post(self, body: bytes) -> None:
        """Keep a message that was posted to the webhook."""
        with self._arrived:
            self._posts.append(json.loads(body))
            self._arrived.notify_all()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 -- aiosmtpd's
        """Keep a mail."""
        with self._arrived:
            self._mails.append(email.message_from_bytes(cast("bytes", envelope.content), policy=email.policy.default))
            self._arrived.notify_all()
        return "250 taken"


def as_json(sinks: Sinks) -> dict[str, object]:
    """What came; null for what did not."""
    mail, slack = sinks.mail, sinks.slack
    return {
        "mail": None if mail is None else {"to": str(mail["To"]), "subject": str(mail["Subject"])},
        "slack": None if slack is None else str(slack.get("text", "")),
    }


def as_text(sinks: Sinks) -> Iterator[str]:
    """The same for a person, in lines of 80 columns, with the mail's first lines."""
    mail, slack = sinks.mail, sinks.slack
    if mail is None:
        yield f"  by mail: nothing came within {PATIENCE:.0f} seconds; `agentcop alerts list` says why"
    else:
        yield f"  by mail to {mail['To']}, at a mail server of this replay"
        yield from _indented(f"Subject: {mail['Subject']}")
        body = mail.get_body(("plain",))
        lines = "" if body is None else body.get_content()
        # The subject stands above; why it was blocked, below.
        for line in itertools.takewhile(lambda line: line != "Why:", lines.splitlines()[1:]):
            yield from _indented(line)
    if slack is None:
        yield f"  on Slack: nothing came within {PATIENCE:.0f} seconds; `agentcop alerts list` says why"
    else:
        yield "  on Slack, at a webhook of this replay"
        yield from _indented(str(slack.get("text", "")))


def _indented(line: str) -> list[str]:
    indent = " " * (4 + len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line.strip(), 80, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )


class _MailServer(Controller):
    """Says no name but localhost, since looking up this machine's own can take seconds; and knows its free port."""

    def factory(self) -> SMTP:
        self.SMTP_kwargs.setdefault("hostname", "localhost")
        return super().factory()  # type: ignore[no-untyped-call,no-any-return]  # as below

    def _trigger_server(self) -> None:
        self.port = cast("asyncio.Server", self.server).sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd's is not typed


class _SlackHandler(BaseHTTPRequestHandler):
    sinks: Sinks

    def do_POST(self) -> None:
        self.sinks.take_post(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Say nothing."""
