"""E-mail: text and HTML in one message, over SMTP."""

from __future__ import annotations

import html
import socket
from typing import TYPE_CHECKING, Final

from agentcop_alerts.sinks.outcome import SendFailed, fault
from agentcop_core.escape import escape
from agentcop_core.locks import IMPORTING

if TYPE_CHECKING:
    import smtplib
    import ssl
    from email.message import EmailMessage

    from agentcop_alerts.item import Item
    from agentcop_alerts.sinks.smtp_server import SmtpServer
    from agentcop_alerts.wording import Part, Worded

_TIMEOUT: Final = 10
_FINAL: Final = 500
_BOX: Final = "margin:0 0 12px;padding:8px;background:#f4f4f4;white-space:pre-wrap;word-break:break-all"


def send(server: SmtpServer, message: EmailMessage) -> None:
    """Hand `message` to the server. Blocks for at most ten seconds a step; raises SendFailed."""
    with IMPORTING:
        import smtplib

    try:
        with _connected(server) as connection:
            refused = connection.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        answers = [code for code, _ in error.recipients.values()]
        raise SendFailed(_refusal(error.recipients), final=min(answers) >= _FINAL) from None
    except smtplib.SMTPResponseException as error:
        final = error.smtp_code >= _FINAL and not isinstance(error, smtplib.SMTPAuthenticationError)
        said = f"the mail server answered {error.smtp_code}"
        if isinstance(error, smtplib.SMTPAuthenticationError):
            said += " to the login of AGENTCOP_SMTP_URL"
        raise SendFailed(said, final=final) from None
    except smtplib.SMTPNotSupportedError:
        raise SendFailed("the mail server does not offer STARTTLS or AUTH, which AGENTCOP_SMTP_URL asks for") from None
    except (OSError, smtplib.SMTPException) as error:
        where = f"{server.host}:{server.port}"
        said = f"the mail server {where}, from AGENTCOP_SMTP_URL or its default, could not be reached: {fault(error)}"
        raise SendFailed(said) from None
    except ValueError:
        raise SendFailed("the message could not be written as e-mail", final=True) from None
    if refused:
        raise SendFailed(f"taken for the others, but {_refusal(refused)}", final=True)


def compose(item: Item, message: Worded, *, to: tuple[str, ...], sender: str) -> EmailMessage:
    """The e-mail. `sender` "": agentcop at this host. Raises SendFailed where an address is none."""
    with IMPORTING:
        from email.message import EmailMessage
        from email.policy import SMTP
        from email.utils import format_datetime, localtime

    sender = sender or f"agentcop@{_host()}"
    for address in (*to, sender):
        # An address out of a variable could bring headers of its own.
        printable = address.isascii() and address.isprintable()
        if "@" not in address or not printable or any(char in address for char in ",;<>\"'() "):
            raise SendFailed("an address of this channel is no e-mail address: write name@host alone", final=True)
    domain = sender.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = f"AgentCop {escape(message.title)}"
    mail["Date"] = format_datetime(localtime())
    mail["Message-ID"] = f"<{item.id}@{domain}>"
    # One thread a fingerprint: every message refers to the same root, which need not exist.
    mail["References"] = f"<agentcop.{item.thread}@{domain}>"
    mail["In-Reply-To"] = f"<agentcop.{item.thread}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.plain())
    mail.add_alternative(_html(message), subtype="html")
    if message.run:
        name = f"run-{item.alert.trace_id or item.id}.json"
        mail.add_attachment(message.run.encode(), maintype="application", subtype="json", filename=name)
    return mail


def _connected(server: SmtpServer) -> smtplib.SMTP:
    with IMPORTING:
        import smtplib

    if server.encryption == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=_TIMEOUT, context=_trust(server), local_hostname=_host()
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT, local_hostname=_host())
    try:
        if server.encryption == "starttls":
            connection.starttls(context=_trust(server))
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _trust(server: SmtpServer) -> ssl.SSLContext:
    with IMPORTING:
        import ssl

    try:
        return ssl.create_default_context(cafile=server.ca_file or None)
    except OSError as error:
        raise SendFailed(f"the ca of AGENTCOP_SMTP_URL cannot be read: {fault(error)}") from None


def _refusal(refused: dict[str, tuple[int, bytes]]) -> str:
    return "the mail server refused " + ", ".join(f"{escape(who)} ({code})" for who, (code, _) in refused.items())


def _host() -> str:
    name = socket.gethostname()
    return name if name and name.isascii() and name.replace("-", "").replace(".", "").isalnum() else "localhost"


def _html(message: Worded) -> str:
    body = [f"<h2>{html.escape(message.title)}</h2>", *(_paragraph(part) for part in message.parts)]
    links = (f'<a href="{html.escape(link.url)}">{html.escape(link.label)}</a>' for link in message.links)
    if message.links:
        body.append(f"<p>{' · '.join(links)}</p>")
    inside = "\n".join(body)
    return f'<!doctype html>\n<html lang="en"><body style="font-family:sans-serif">\n{inside}\n</body></html>\n'


def _paragraph(part: Part) -> str:
    text = html.escape(part.text)
    if part.look == "code":
        return f'<p><b>{part.label}</b></p>\n<pre style="{_BOX}">{text}</pre>'
    return f"<p><b>{part.label}</b><br>{text.replace(chr(10), '<br>')}</p>"
