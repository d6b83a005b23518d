"""Whether anybody learns what the agents of this machine do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop.cli.doctor.checks.found import failed, ok, warning
from agentcop_core.spool import has_reader, read_dropped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop.cli.doctor.checks.found import Context, Found

_NAME: Final = "AGENTCOP_OTLP_ENDPOINT"
_SECONDS: Final = 5.0


def check(context: Context) -> Iterator[Found]:
    """An endpoint that takes an empty request, or a reader of the spool. Blocks for some seconds."""
    endpoint = context.environ.get(_NAME, "").strip()
    if endpoint:
        yield _asked(endpoint, context.environ.get("AGENTCOP_TOKEN", ""))
    else:
        yield from _spool(context)


def _asked(endpoint: str, token: str) -> Found:
    from agentcop_core.otlp.sender import parse_endpoint, sender_to

    try:
        parsed = parse_endpoint(endpoint)
    except ValueError as error:
        return failed("detector", f"{error}; an armed process ends with 78")
    sender = sender_to(parsed, token)
    try:
        sent = sender.send(b"", timeout=_SECONDS)
    finally:
        sender.close()
    if sent.outcome == "sent":
        return ok("detector", f"{parsed} takes spans")
    return warning("detector", f"anomalies: nobody is watching: {parsed} takes no spans ({sent.why}); they are spooled")


def _spool(context: Context) -> Iterator[Found]:
    folder = context.home / "spool"
    try:
        read, dropped = has_reader(folder), read_dropped(folder)
    except OSError as error:
        yield warning("detector", f"{error.filename or folder}: {error.strerror or error}")
        return
    if read:
        yield ok("detector", f"somebody reads {folder}")
    else:
        yield warning("detector", f"anomalies: nobody is watching: {_NAME} is not set, and nobody reads {folder}")
    if dropped.spans:
        yield warning("detector", f"{dropped.spans:,} spans were lost: the spool was full, or could not be written")
