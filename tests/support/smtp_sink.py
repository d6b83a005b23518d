"""A real SMTP server on a free loopback port: plain, with STARTTLS or TLS; AUTH over STARTTLS."""

from __future__ import annotations

import asyncio
import email
import email.policy
import threading
from typing import TYPE_CHECKING, Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

if TYPE_CHECKING:
    import ssl
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, Envelope, Session


class _Quiet(Controller):
    """Says no name but localhost: looking up this machine's own can take seconds."""

    def factory(self) -> SMTP:
        self.SMTP_kwargs.setdefault("hostname", "localhost")
        return super().factory()  # type: ignore[no-untyped-call,no-any-return]  # as below

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd's is not typed


class SmtpSink:
    """`answers` are given to DATA first to last, as `451 busy`; then the mail is taken."""

    def __init__(
        self,
        *,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] = ("", ""),
    ) -> None:
        self.raw: list[bytes] = []
        self.envelopes: list[tuple[str, tuple[str, ...]]] = []
        self.answers: list[str] = []
        self.refused: set[str] = set()
        self.logins: list[str] = []
        self.encrypted: list[bool] = []
        self.port = 0
        self._login = login
        self._starttls = starttls
        self._tls = tls
        self._arrived = threading.Condition()
        self._controller: Controller | None = None

    def start(self) -> SmtpSink:
        settings: dict[str, Any] = {}
        if self._starttls is not None:
            settings |= {"tls_context": self._starttls, "require_starttls": True}
        if self._login != ("", ""):
            settings |= {"authenticator": self._authenticate, "auth_required": True}
        controller = _Quiet(self, hostname="127.0.0.1", port=self.port, ssl_context=self._tls, **settings)
        controller.start()
        self.port = controller.port
        self._controller = controller
        return self

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def mails(self) -> list[EmailMessage]:
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.raw]

    def wait_for(self, count: int, seconds: float = 20.0) -> list[EmailMessage]:
        """The mails, as soon as there are `count`; fails if they do not come."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.raw) >= count, seconds), f"{len(self.raw)} of {count} mails"
        return self.mails

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        self.logins.append(given[0])
        return AuthResult(success=given == self._login, handled=False)

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- as above
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        with self._arrived:
            self.raw.append(envelope.content)
            self.envelopes.append((envelope.mail_from or "", tuple(envelope.rcpt_tos)))
            self.encrypted.append(session.ssl is not None)
            self._arrived.notify_all()
        return "250 taken"
