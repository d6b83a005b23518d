"""From the spool to the channels: in order, with backoff where a channel is down, and never lost without a word."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from agentcop_alerts.background import Background
from agentcop_alerts.sinks.outcome import SendFailed
from agentcop_alerts.sinks.send import send
from agentcop_alerts.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from agentcop_alerts.channels import Target
    from agentcop_alerts.item import Item, State
    from agentcop_alerts.outbox import Outbox

    Settled = Callable[[Item, State], None]
    """Told what became of a message, by the thread that sent it; must not raise nor block."""

_log = logging.getLogger("agentcop")

GIVE_UP: Final = 86_400.0
"""Seconds after which a message that nobody takes is given up."""

_LONGEST: Final = 300.0
_LONGEST_ASKED: Final = 3_600.0
_DISK_AGAIN: Final = 5.0
_UNSAVED: Final = 100


class Delivery:
    """Sends what waits in an outbox for one channel. Belongs to one thread, which blocks on the network."""

    def __init__(
        self,
        outbox: Outbox,
        target: Target,
        environ: Mapping[str, str],
        settled: Settled = lambda item, state: None,  # noqa: ARG005 -- nobody asks
    ) -> None:
        """`environ` fills in the secrets of the channel."""
        self._outbox = outbox
        self._settled = settled
        self._threads = Threads(outbox.folder / "threads")
        self._target = target
        self._environ = environ
        self._failures = 0
        self._not_before = 0.0
        self._disk_told = False
        self._unsaved: deque[Item] = deque(maxlen=_UNSAVED)

    def keep(self, item: Item) -> None:
        """Hold what the disk would not take, in memory: people must hear of a full disk all the more."""
        self._unsaved.append(item)

    def deliver(self, now: float) -> float | None:
        """Try everything that is due, oldest first; when to come again, None if nothing waits. Raises nothing.

        After a failure that may pass, the rest waits too: 2, 4, 8 … seconds, at most five minutes, or what the channel
        asked for.
        """
        moments = [self._deliver_unsaved(now)]
        try:
            moments += [
                self._tried(path, item, now)
                for path, item in self._outbox.waiting()
                if item.channel == self._target.key
            ]
        except OSError as error:
            self._complain(error)
        return min((moment for moment in moments if moment), default=None)

    def _tried(self, path: Path, item: Item, now: float) -> float:
        """When to try this one again; 0 if it is settled or another process has it."""
        due = max(item.not_before, self._not_before)
        if due > now:
            return due
        try:
            return self._attempt(path, item, now)
        except OSError as error:
            self._complain(error)
            return now + _DISK_AGAIN

    def _attempt(self, path: Path, item: Item, now: float) -> float:
        with self._outbox.claim(path, item) as claim:
            if claim is None:
                return 0.0
            try:
                send(claim.item, self._target, self._environ, self._threads)
            except SendFailed as failed:
                if failed.final or now - item.created > GIVE_UP:
                    self._log_given_up(failed)
                    try:
                        claim.failed(failed.reason, now)
                    finally:
                        self._settled(claim.item, "failed")
                    return 0.0
                self._back_off(failed, now)
                claim.put_off(failed.reason, self._not_before)
                return self._not_before
            self._works()
            try:
                claim.sent(now)
            finally:
                self._settled(claim.item, "sent")
            return 0.0

    def _deliver_unsaved(self, now: float) -> float:
        while self._unsaved:
            if self._not_before > now:
                return self._not_before
            item = self._unsaved.popleft()
            try:
                send(item, self._target, self._environ, self._threads)
            except SendFailed as failed:
                if failed.final or now - item.created > GIVE_UP:
                    self._log_given_up(failed)
                    self._settled(item, "failed")
                else:
                    self._back_off(failed, now)
                    self._unsaved.appendleft(item)
            else:
                self._works()
                self._settled(item, "sent")
        return 0.0

    def _back_off(self, failed: SendFailed, now: float) -> None:
        if not self._failures:
            _log.warning("agentcop: alerts wait for %s: %s", self._target.name, failed.reason)
        self._failures += 1
        wait = min(failed.retry_after, _LONGEST_ASKED) or min(2.0**self._failures, _LONGEST)
        self._not_before = now + wait

    def _works(self) -> None:
        if self._failures:
            _log.warning("agentcop: %s takes alerts again", self._target.name)
        self._failures, self._not_before = 0, 0.0

    def _log_given_up(self, failed: SendFailed) -> None:
        _log.warning("agentcop: an alert did not reach %s and is given up: %s", self._target.name, failed.reason)

    def _complain(self, error: OSError) -> None:
        if not self._disk_told:
            self._disk_told = True
            _log.warning("agentcop: the folder of alerts cannot be used: %s", error)


class Post:
    """One channel with the thread that sends to it."""

    def __init__(
        self,
        outbox: Outbox,
        target: Target,
        environ: Mapping[str, str],
        clock: Callable[[], float],
        settled: Settled = lambda item, state: None,  # noqa: ARG005 -- nobody asks
    ) -> None:
        """Starts nothing: the thread does, when it is first woken."""
        self.target = target
        self.delivery = Delivery(outbox, target, environ, settled)
        self._clock = clock
        self.thread = Background(f"agentcop-alerts-{target.channel.type}", self._send)

    def _send(self) -> float | None:
        now = self._clock()
        again = self.delivery.deliver(now)
        return None if again is None else max(0.0, again - now)
