"""What left a box and what did not: counted, listed within bounds, and logged without flooding the log."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.egress.heard import HEARING, shown

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("agentcop")

_LISTED: Final = 256
_EVERY: Final = 60.0
_MOST_LINES: Final = 240
"""Lines in a minute, whatever a tool thinks of to ask for."""
_SHOWN: Final = 253


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counters of one proxy. Written by the proxy's thread; read by any."""

    allowed: int = 0
    """Requests that were let through."""
    refused: int = 0
    """Requests that were not."""
    failed: int = 0
    """Requests that were let through and did not reach their place, or were cut on the way."""
    hosts: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """Places reached, with how often, the 256 latest."""
    unlisted: int = 0
    """Places that had to leave the list."""
    clock: Callable[[], float] = time.monotonic
    _said: OrderedDict[tuple[str, str], tuple[float, int]] = field(default_factory=OrderedDict)
    _minute: float = 0.0
    """When the minute began whose lines are counted."""
    _lines: int = 0
    _unsaid: int = 0
    """Lines that were left out since that was last told."""

    def listed(self) -> dict[str, int]:
        """The list as it is now; any thread."""
        return dict(self.hosts.copy())

    def reached(self, where: str) -> None:
        """A request for `where` was let through."""
        self.allowed += 1
        _hear(where, "")
        self.hosts[where] = self.hosts.pop(where, 0) + 1
        if len(self.hosts) > _LISTED:
            self.hosts.popitem(last=False)
            self.unlisted += 1
        if (more := self._due(where, "")) is not None:
            _log.info("sandbox egress: reached %s%s", shown(where), more)

    def turned_away(self, where: str, why: str) -> None:
        """A request for `where`, in the tool's own words, was refused."""
        self.refused += 1
        _hear(where, why)
        if (more := self._due(where, why)) is not None:
            _log.warning("sandbox egress: refused %s: %s%s", shown(where), why, more)

    def missed(self, where: str, why: str) -> None:
        """A request for `where` was let through and came to nothing, or to its end before it was over."""
        self.failed += 1
        if (more := self._due(where, why)) is not None:
            _log.warning("sandbox egress: %s: %s%s", shown(where), why, more)

    def full(self, connections: int) -> None:
        """All connections are in use."""
        if (more := self._due("", "full")) is not None:
            _log.warning("sandbox egress: %d connections are open; others wait until one ends%s", connections, more)

    def _due(self, where: str, why: str) -> str | None:
        """What to add to a line about this, or None where there was one within the minute."""
        now = self.clock()
        key = (where[:_SHOWN], why)
        since, held = self._said.get(key, (now - _EVERY, 0))
        if now - since < _EVERY:
            self._said[key] = (since, held + 1)
            return None
        if not self._has_room(now):
            return None
        self._said[key] = (now, 0)
        self._said.move_to_end(key)
        if len(self._said) > _LISTED:
            self._said.popitem(last=False)
        return f" (and {held} times since the last line about it)" if held else ""

    def _has_room(self, now: float) -> bool:
        """Whether one more line may be written in this minute; says so once where none may."""
        if not self._lines or now - self._minute >= _EVERY:
            self._minute, self._lines = now, 0
            if self._unsaid:
                _log.warning("sandbox egress: %d lines about other places were left out", self._unsaid)
                self._unsaid = 0
        self._lines += 1
        if self._lines <= _MOST_LINES:
            return True
        self._unsaid += 1
        if self._lines == _MOST_LINES + 1:
            _log.warning("sandbox egress: %d lines within a minute: further ones are counted only", _MOST_LINES)
        return False


def _hear(where: str, why: str) -> None:
    if (hearing := HEARING.get()) is not None:
        hearing.note(where, why)
