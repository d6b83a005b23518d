"""The regime of telemetry: it swallows its own faults, says so once, and never breaks the application."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_log = logging.getLogger("agentcop")


class Swallowed:
    """A block whose exceptions are counted and logged once. Never around judging: the gate fails closed instead."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        """`count`: how many faults were swallowed so far."""
        self.count = 0

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Swallow what is an Exception; let interrupts through."""
        if error is None or not isinstance(error, Exception):
            return False
        self.count += 1
        if self.count == 1:
            _log.warning("agentcop: telemetry failed; further faults are counted, not logged", exc_info=error)
        return True
