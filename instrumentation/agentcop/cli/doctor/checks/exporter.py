"""Whether the application's own traces have somebody who takes them."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from agentcop.cli.doctor.checks.found import ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop.cli.doctor.checks.found import Context, Found

_NAMES: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PORTS: Final = {"http": 4318, "https": 443}
_SECONDS: Final = 5.0


def check(context: Context) -> Iterator[Found]:
    """The endpoint that `OTEL_EXPORTER_OTLP_*` names takes a connection. Sends nothing. Blocks for some seconds."""
    name = next((name for name in _NAMES if context.environ.get(name)), "")
    if context.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield warning("exporter", "OTEL_SDK_DISABLED: no step of an agent is shown anywhere")
    elif not name:
        yield ok("exporter", f"{_NAMES[1]} is not set: the agent's steps are shown where its program exports them")
    elif why := _why_not(context.environ[name]):
        yield warning("exporter", f"{name}: {why}")
    else:
        yield ok("exporter", f"{name}: somebody listens there")


def _why_not(endpoint: str) -> str:
    """Why nobody can be reached; "" if somebody can. Names host and port only: a URL may hold a password."""
    try:
        parts = urlsplit(endpoint if "://" in endpoint else f"http://{endpoint}")
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError as error:
        return f"is no URL: {error}"
    if not host or port is None:
        return "is no http:// or https:// URL"
    try:
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except OSError as error:
        return f"{host}:{port} cannot be reached: {error.strerror or error}"
    return ""
