"""How many messages a day one agent may cause: `monitor.max_alerts_per_day`."""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING, Final

import orjson

from agentcop_core.alert import rank
from agentcop_core.home import make_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentcop_core.alert import Alert

_log = logging.getLogger("agentcop")

DEFAULT: Final = 20
DAY: Final = 86_400.0
_SEVERITIES: Final = 4
_AGENTS: Final = 20_000


class Budget:
    """Of one agent, a message goes out if fewer than N of its severity or above went out today (UTC).

    So the gravest go out at once, however many lesser ones came before. Kept in a file, so that a restart gives no
    budget anew. One thread.
    """

    def __init__(self, file: Path, limit_of: Callable[[str], int]) -> None:
        """`limit_of` says an agent's N. Reads `file` when it is first asked."""
        self._file = file
        self._limit_of = limit_of
        self._day = -1
        self._sent: dict[str, list[int]] = {}
        self._said = False

    def __call__(self, alert: Alert, now: float) -> bool:
        """Whether a message about `alert` may go out; if so it is counted. Blocks on the disk; raises nothing."""
        if alert.kind in {"digest", "test"}:
            return True
        day = int(now // DAY)
        if self._day != day:
            self._sent = self._read(day) if self._day < 0 else {}
            self._day = day
        sent = self._sent.setdefault(alert.agent_id, [0] * _SEVERITIES)
        level = rank(alert.severity)
        if sum(sent[level:]) >= self._limit_of(alert.agent_id):
            return False
        sent[level] += 1
        while len(self._sent) > _AGENTS:
            del self._sent[next(iter(self._sent))]
        self._write()
        return True

    def _read(self, day: int) -> dict[str, list[int]]:
        try:
            found = orjson.loads(self._file.read_bytes())
            if found["day"] != day:
                return {}
            return {str(agent): [int(number) for number in sent][:_SEVERITIES] for agent, sent in found["sent"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            _log.exception("agentcop: %s cannot be read: today's budget of alerts begins anew", self._file)
            return {}

    def _write(self) -> None:
        new = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            make_private(self._file.parent)
            new.write_bytes(orjson.dumps({"day": self._day, "sent": self._sent}))
            new.replace(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            if not self._said:
                self._said = True
                _log.exception("agentcop: %s cannot be written: a restart would give today's budget anew", self._file)
