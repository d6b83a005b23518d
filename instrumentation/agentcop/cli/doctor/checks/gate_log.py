"""Whether the state folder takes a line of gate.log, and whether the log that is there is whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from agentcop.cli.doctor.checks.found import failed, ok, warning
from agentcop_core.home import ensure_state_folder
from agentcop_processor.gatelog.chain import LOG_NAME
from agentcop_processor.gatelog.read import has_log
from agentcop_processor.gatelog.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop.cli.doctor.checks.found import Context, Found

_OTHERS: Final = 0o077


def check(context: Context) -> Iterator[Found]:
    """No log, no gate. Makes the state folder where it is missing, as arming does; writes no line."""
    home = context.home
    try:
        ensure_state_folder(home)
        _open_for_writing(home / LOG_NAME)
    except OSError as error:
        yield failed("state folder", f"{error.filename or home}: {error.strerror or error}; every call is blocked")
        return
    yield ok("state folder", f"{home} can be written")
    mode = home.stat().st_mode & 0o777
    if mode & _OTHERS:
        yield warning("state folder", f"{home} is open to other users (mode {mode:03o}): chmod 700")
    yield from _chains(home)


def _open_for_writing(log: Path) -> None:
    """As the gate opens it. Raises OSError."""
    if log.exists() or log.is_symlink():
        os.close(os.open(log, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)))


def _chains(home: Path) -> Iterator[Found]:
    try:
        if not has_log(home):
            yield ok("gate.log", "there is none yet: no gated call was made here")
            return
        report = verify(home)
    except OSError as error:
        yield failed("gate.log", f"{error.filename or home}: {error.strerror or error}")
        return
    for each in report.breaks:
        yield failed("gate.log", " ".join(part for part in (each.where, each.why) if part))
    if report.unchecked:
        yield failed("gate.log", f"{report.unchecked:,} lines could not be checked")
    if report.intact and not report.unchecked:
        yield ok("gate.log", f"{report.lines:,} lines, {len(report.chains):,} chains, every one whole")
