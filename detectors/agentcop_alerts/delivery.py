"""From the spool to the channels: in order, with backoff where a channel is down, and never lost without a word."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentcop_alerts.sinks.outcome import SendFailed
from agentcop_alerts.sinks.send import send

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Mapping
    from pathlib import Path

    from agentcop_alerts.channels import Target
    from agentcop_alerts.item import Item
    from agentcop_alerts.outbox import Outbox

_log = logging.getLogger("agentcop")

GIVE_UP: Final = 86_400.0
"""Seconds after which a message that nobody takes is given up."""

_LONGEST: Final = 300.0
_DISK_AGAIN: Final = 5.0
_LONGEST_ASKED: Final = 3_600.0


@dataclass(slots=True)
class _Health:
    failures: int = 0
    not_before: float = 0.0


class Delivery:
    """Sends what waits in an outbox. Belongs to one thread; blocks on the network; raises OSError from the disk."""

    def __init__(self, outbox: Outbox, environ: Mapping[str, str]) -> None:
        """`environ` fills in the secrets of the channels."""
        self._outbox = outbox
        self._environ = environ
        self._health: dict[str, _Health] = {}
        self._disk_told = False

    def deliver(self, targets: Mapping[str, Target], now: float) -> float | None:
        """Try everything that is due and belongs to one of `targets`, by their keys; when to come again, None if never.

        After a failure that may pass, the rest for that channel waits too: 2, 4, 8 … seconds, at most five minutes,
        or what the channel asked for.
        """
        again: float | None = None
        for path, item in self._outbox.waiting():
            target = targets.get(item.channel)
            if target is None:
                if now - item.created > GIVE_UP:
                    self._give_up(path, item, "no policy that was armed since has this channel", now)
                continue
            health = self._health.setdefault(target.key, _Health())
            due = max(item.not_before, health.not_before)
            if due <= now:
                try:
                    due = self._attempt(path, item, target, health, now)
                except OSError as error:
                    self._complain(error)
                    due = now + _DISK_AGAIN
            if due:
                again = due if again is None else min(again, due)
        return again

    def _attempt(self, path: Path, item: Item, target: Target, health: _Health, now: float) -> float:
        """Send it; 0 if it is settled or another process has it, else when to try again."""
        with self._outbox.claim(path, item) as claim:
            if claim is None:
                return 0.0
            try:
                send(claim.item, target, self._environ)
            except SendFailed as failed:
                if failed.final or now - item.created > GIVE_UP:
                    _log.warning("agentcop: an alert did not reach %s and is given up: %s", target.name, failed.reason)
                    claim.failed(failed.reason, now)
                    return 0.0
                wait = min(failed.retry_after, _LONGEST_ASKED) or min(2.0 ** (health.failures + 1), _LONGEST)
                if not health.failures:
                    _log.warning("agentcop: alerts wait for %s: %s", target.name, failed.reason)
                health.failures += 1
                health.not_before = now + wait
                claim.put_off(failed.reason, now + wait)
                return health.not_before
            if health.failures:
                _log.warning("agentcop: %s takes alerts again", target.name)
            health.failures, health.not_before = 0, 0.0
            claim.sent(now)
            return 0.0

    def send_unsaved(self, unsaved: deque[Item], targets: Mapping[str, Target]) -> float | None:
        """Send, in order, what the disk would not take; when to come again. What fails for now stays in `unsaved`."""
        again: float | None = None
        for _ in range(len(unsaved)):
            item = unsaved.popleft()
            target = targets[item.channel]
            try:
                send(item, target, self._environ)
            except SendFailed as failed:
                _log.warning("agentcop: an alert did not reach %s: %s", target.name, failed.reason)
                if not failed.final:
                    unsaved.append(item)
                    again = max(failed.retry_after, _DISK_AGAIN)
        return again

    def _complain(self, error: OSError) -> None:
        if not self._disk_told:
            self._disk_told = True
            _log.warning("agentcop: what became of an alert cannot be written: %s", error)

    def _give_up(self, path: Path, item: Item, reason: str, now: float) -> None:
        with self._outbox.claim(path, item) as claim:
            if claim is not None:
                claim.failed(reason, now)
