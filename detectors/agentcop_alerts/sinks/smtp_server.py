"""`AGENTCOP_SMTP_URL`: which mail server, how it is spoken to, and as whom.

    smtp://user:password@host:587?starttls=1      STARTTLS is demanded, and the certificate checked
    smtps://user:password@host                    TLS from the first byte, port 465
    smtp://host:25                                plain
    …?ca=/path/to/ca.pem                          trust these certificates instead of the system's

Unset: `smtp://localhost:25`. A password goes over an encrypted connection or to this machine, else it does not go.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from agentcop_alerts.sinks.outcome import SendFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

Encryption = Literal["none", "starttls", "tls"]
"""`starttls`: demanded before anything is said. `tls`: from the first byte."""

_PORTS: Final[dict[Encryption, int]] = {"none": 25, "starttls": 587, "tls": 465}
_YES: Final = frozenset({"1", "true", "yes"})
_NO: Final = frozenset({"0", "false", "no"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mail is handed in."""

    host: str = "localhost"
    port: int = 25
    encryption: Encryption = "none"
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    """A PEM file of trusted certificates; "": the system's."""


def smtp_server(environ: Mapping[str, str]) -> SmtpServer:
    """The server that `AGENTCOP_SMTP_URL` names. Raises SendFailed, which does not repeat the password."""
    url = environ.get("AGENTCOP_SMTP_URL", "").strip()
    if not url:
        return SmtpServer()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _unfit("it is no address; a password with / ? # @ is written %2F %3F %23 %40") from None
    if parts.scheme not in {"smtp", "smtps"} or not host:
        raise _unfit("write smtp://user:password@host:port?starttls=1 or smtps://user:password@host")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(options.keys() - {"starttls", "ca"}):
        raise _unfit(f"unknown option {unknown[0]!r}; there are starttls and ca")
    starttls = options.get("starttls", "0").lower()
    if starttls not in _YES | _NO or parts.path not in {"", "/"} or parts.fragment:
        raise _unfit("write smtp://user:password@host:port?starttls=1")
    encryption: Encryption = "tls" if parts.scheme == "smtps" else "starttls" if starttls in _YES else "none"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user and encryption == "none" and not _is_here(host):
        raise _unfit("a password would go in clear text; add ?starttls=1 or write smtps://")
    return SmtpServer(
        host=host,
        port=port or _PORTS[encryption],
        encryption=encryption,
        user=user,
        password=password,
        ca_file=options.get("ca", ""),
    )


def _unfit(why: str) -> SendFailed:
    return SendFailed(f"AGENTCOP_SMTP_URL: {why}", final=True)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
