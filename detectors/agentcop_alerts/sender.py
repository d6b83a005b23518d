"""Takes alerts from anybody in microseconds, and sees to it that somebody hears of them."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
import weakref
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from agentcop_alerts.background import Background
from agentcop_alerts.delivery import Delivery
from agentcop_alerts.item import Item
from agentcop_alerts.outbox import Outbox
from agentcop_alerts.rollup import WINDOW, Notice, RollUp
from agentcop_core.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from agentcop_alerts.channels import Route, Target
    from agentcop_core.alert import Alert

_log = logging.getLogger("agentcop")

EXIT_SECONDS: Final = 2.0
"""How long the end of the process may wait for alerts."""

_QUEUE: Final = 10_000
_UNSAVED: Final = 100


class AlertSender:
    """The alerts of one state folder in this process. Thread-safe, fork-safe.

    Two daemon threads, started with the first alert: one folds alerts and writes them to disk, one sends. What is on
    disk survives the process and goes out at the next arming of any process with the same channel.
    """

    def __init__(
        self,
        folder: Path,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`folder`: `<home>/alerts`. `environ` fills in secrets, in the sending thread alone. Opens nothing."""
        self.outbox = Outbox(folder)
        self._environ = environ
        self._clock = clock
        self._redactor = Redactor()
        self._targets: dict[str, Target] = {}
        self._told: set[str] = set()
        self._lost_here = 0
        self._reset()
        self._folding = Background("agentcop-alerts", self._fold)
        self._sending = Background("agentcop-alerts-send", self._send)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_weakly(self._after_fork))

    def _reset(self) -> None:
        self._queue: deque[tuple[Alert, Route]] = deque()
        self._rollup: RollUp[Route] = RollUp()
        self._delivery = Delivery(self.outbox, self._environ)
        self._unsaved: deque[Item] = deque(maxlen=_UNSAVED)
        self._one_folds = threading.RLock()
        self._seeded = False
        self._ending = False
        self._at_exit_known = False

    def arm(self, route: Route) -> None:
        """Know these channels from now on, and send what an earlier process left for them.

        Reads one directory; never raises.
        """
        try:
            self._learn(route)
            if route.targets and self.outbox.has_pending:
                self._know_exit()
                self._sending.wake()
        except Exception:
            self._say("arm", "agentcop: what an earlier process left to send could not be looked at")

    def submit(self, alert: Alert, route: Route) -> bool:
        """Take `alert`; whether a channel of `route` will be sent to from here. Never blocks, never raises.

        False where no channel takes this severity, or each lacks a secret: that is logged, and recorded as failed.
        """
        try:
            if not any(target.accepts(alert) for target in route.targets):
                return False
            if len(self._queue) >= _QUEUE:
                self._lost_here += 1
                return False
            self._learn(route)
            self._know_exit()
            self._queue.append((alert, route))
            if not self._folding.wake() or self._ending:
                self._fold_here()
            return any(target.accepts(alert) and not target.obstacle(self._environ) for target in route.targets)
        except Exception as error:  # the call that was refused must not be held up by telling of it
            self._say(f"submit {type(error).__name__}", "agentcop: an alert could not be taken")
            return False

    def drain(self, seconds: float = EXIT_SECONDS) -> bool:
        """Send what can be sent now; False if that takes longer. Counts that wait for their window go on waiting."""
        until = time.monotonic() + seconds
        return self._folding.rest(seconds) and self._sending.rest(max(0.0, until - time.monotonic()))

    def close(self, seconds: float = EXIT_SECONDS) -> None:
        """The process ends: everything to the disk, then send for at most `seconds`. Counts go out at the next arming.

        Called at exit; what comes later goes to the disk at once.
        """
        until = time.monotonic() + seconds
        self._ending = True
        if not self._folding.rest(seconds):
            self._fold_here()
        self._sending.rest(max(0.0, until - time.monotonic()))

    def _learn(self, route: Route) -> None:
        if not all(target.key in self._targets for target in route.targets):
            self._targets = {**self._targets, **{target.key: target for target in route.targets}}

    def _know_exit(self) -> None:
        if self._at_exit_known:
            return
        self._at_exit_known = True
        atexit.register(_weakly(self.close))
        # multiprocessing's children leave without atexit.
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            from multiprocessing.util import Finalize

            Finalize(None, _weakly(self.close), exitpriority=0)

    def _fold(self) -> float | None:
        with self._one_folds:
            return self._fold_queue()

    def _fold_queue(self) -> float | None:
        now = self._clock()
        if not self._seeded:
            self._seeded = True
            self._on_disk(lambda: self._seed(now))
        notices = []
        while self._queue:
            alert, route = self._queue.popleft()
            notices += self._rollup.add(alert, route, now)
        notices += self._rollup.due(now)
        if self._ending:
            notices += self._rollup.close()
        if self._lost_here and self._on_disk(lambda: self.outbox.lose(self._lost_here)):
            self._lost_here = 0
        for notice in notices:
            self._spool(notice, now)
        if notices:
            self._sending.wake()
        due = self._rollup.next_due()
        return None if due is None else max(0.0, due - now)

    def _fold_here(self) -> None:
        """At the very end, when no thread may be left to do it."""
        try:
            self._fold()
        except Exception:
            _log.exception("agentcop: alerts could not be written to %s", self.outbox.folder)

    def _spool(self, notice: Notice[Route], now: float) -> None:
        alert = self._redacted(notice.alert)
        for target in notice.route.targets:
            if not target.accepts(alert):
                continue
            item = Item(
                id=f"{int(now * 1000):013d}-{os.getpid()}-{os.urandom(4).hex()}",
                alert=alert,
                thread=notice.thread,
                channel=target.key,
                channel_name=target.name,
                trace_link=notice.route.trace_link,
                count=notice.count,
                repeat=notice.repeat,
                since=notice.since,
                note=self._redactor.redact_text(notice.note),
                created=now,
                not_before=notice.not_before,
            )
            if obstacle := target.obstacle(self._environ):
                text = f"agentcop: alerts cannot be sent to {target.name}: {obstacle}"
                self._say(f"{target.key} {obstacle}", text, error=False)
                unsent = replace(item, reason=obstacle, settled=now)
                self._on_disk(partial(self.outbox.settle, "failed", unsent))
            elif not self._on_disk(partial(self._put, item)):
                self._unsaved.append(item)

    def _put(self, item: Item) -> None:
        if not self.outbox.put(item):
            text = f"agentcop: too many alerts wait in {self.outbox.folder}; further ones are lost and counted"
            self._say("full", text, error=False)

    def _on_disk(self, act: Callable[[], None]) -> bool:
        """Whether `act` could be done. Where the disk is full, people must hear of it all the more."""
        try:
            act()
        except OSError:
            self._say("disk", f"agentcop: {self.outbox.folder} cannot be used; alerts go out unsaved, from memory")
            return False
        return True

    def _redacted(self, alert: Alert) -> Alert:
        """Once more, whoever made it: what lies on disk and leaves the process has been through the redactor."""
        hide = self._redactor.redact_text
        return replace(
            alert,
            agent_id=hide(alert.agent_id),
            tool=hide(alert.tool),
            reason=hide(alert.reason),
            arguments=hide(alert.arguments),
            session_id=hide(alert.session_id),
            environment=hide(alert.environment),
            evidence=tuple(hide(line) for line in alert.evidence),
        )

    def _seed(self, now: float) -> None:
        """What went out within the last window is no news: an agent that crashes and restarts is told of once."""
        from agentcop_alerts.channels import Route

        for item in (*self.outbox.items("sent"), *self.outbox.items("pending")):
            if not item.repeat and now - item.created < WINDOW and item.channel in self._targets:
                route = Route(targets=(self._targets[item.channel],), trace_link=item.trace_link)
                self._rollup.seed(
                    Notice(alert=item.alert, route=route, thread=item.thread, note=item.note), item.created
                )

    def _send(self) -> float | None:
        now = self._clock()
        unsaved = self._delivery.send_unsaved(self._unsaved, self._targets)
        again: float | None = None
        try:
            again = self._delivery.deliver(self._targets, now)
        except OSError:
            self._say("disk", f"agentcop: {self.outbox.folder} cannot be used; alerts go out unsaved, from memory")
        if again is None:
            return unsaved
        return max(0.0, again - now) if unsaved is None else max(0.0, min(again - now, unsaved))

    def _after_fork(self) -> None:
        """In a forked child: what was queued, counted and begun is the parent's."""
        self._reset()
        self._folding.after_fork()
        self._sending.after_fork()

    def _say(self, what: str, text: str, *, error: bool = True) -> None:
        if what not in self._told:
            self._told.add(what)
            if error:
                _log.exception(text)
            else:
                _log.warning(text)


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """The bound method, without keeping its object alive."""
    weak = weakref.WeakMethod(method)

    def call() -> None:
        alive = weak()
        if alive is not None:
            alive()

    return call
