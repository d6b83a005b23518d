"""Whether the clock can be right: approvals, time windows and the log go by it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

import agentcop
from agentcop.cli.doctor.checks.found import ok, warning
from agentcop_processor.gatelog.chain import LOG_NAME, MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop.cli.doctor.checks.found import Context, Found

_SLACK: Final = 60.0


def check(context: Context) -> Iterator[Found]:
    """It is not before the newest line of gate.log, nor before AgentCop was installed. Asks no time server."""
    installed = Path(str(agentcop.__file__)).stat().st_mtime
    logged = _last_line(context.home / LOG_NAME)
    shown = _shown(context.now)
    if logged > context.now + _SLACK:
        yield warning("clock", f"it says {shown}, and gate.log's newest line is of {_shown(logged)}")
    elif installed > context.now + _SLACK:
        yield warning("clock", f"it says {shown}, and AgentCop was installed at {_shown(installed)}")
    else:
        yield ok("clock", shown)


def _last_line(log: Path) -> float:
    """When the newest line was written, in seconds since the epoch; 0 if that cannot be told."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 2 * MAX_LINE))
            lines = file.read().splitlines()
    except OSError:
        return 0.0
    for line in reversed(lines):
        try:
            return datetime.fromisoformat(str(orjson.loads(line)["t"])).timestamp()
        except (ValueError, KeyError, TypeError):
            continue
    return 0.0


def _shown(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")
