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
from typing import TYPE_CHECKING, Final

from agentcop_alerts.background import Background
from agentcop_alerts.delivery import GIVE_UP, Post
from agentcop_alerts.item import NOTHING, Enclosed
from agentcop_alerts.outbox import Outbox
from agentcop_alerts.rollup import WINDOW, Notice, RollUp
from agentcop_alerts.spooling import Spooling
from agentcop_core.locks import IMPORTING
from agentcop_core.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from agentcop_alerts.channels import Route, Target
    from agentcop_alerts.item import Item, State
    from agentcop_alerts.spooling import Hears, Permits
    from agentcop_core.alert import Alert

_log = logging.getLogger("agentcop")

EXIT_SECONDS: Final = 2.0
"""How long the end of the process may wait for alerts."""

_QUEUE: Final = 10_000
_PATIENCE: Final = 0.2


class AlertSender:
    """The alerts of one state folder in this process. Thread-safe, fork-safe.

    Daemon threads, started when there is work: one folds alerts and writes them to disk, and one for each channel
    sends, so that a channel that hangs holds up no other. What is on disk survives the process and goes out at the
    next arming of any process with the same channel.
    """

    def __init__(
        self,
        folder: Path,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
        hears: Hears = lambda refs, outcome: None,  # noqa: ARG005 -- nobody asks
        permits: Permits = lambda alert, now: True,  # noqa: ARG005 -- without a budget
    ) -> None:
        """`folder`: `<home>/alerts`. `environ` fills in secrets, in the sending thread alone. Opens nothing.

        `hears` is told what becomes of alerts that came with refs; `permits` is asked before a message is made.
        """
        self.outbox = Outbox(folder)
        self._environ = environ
        self._clock = clock
        self._hears = hears
        self._spooling = Spooling(
            outbox=self.outbox,
            environ=environ,
            say=lambda what, text: self._say(what, text, error=False),
            on_disk=self._on_disk,
            keep=lambda target, item: self._posts[target.key].delivery.keep(item),
            hears=hears,
            permits=permits,
            redactor=Redactor(),
        )
        self._told: set[str] = set()
        self._lost_here = 0
        self._reset()
        self._folding = Background("agentcop-alerts", self._fold)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_weakly(self._after_fork))

    def _reset(self) -> None:
        self._queue: deque[tuple[Alert, Route, Enclosed]] = deque()
        self._rollup: RollUp[Route] = RollUp()
        self._posts: dict[str, Post] = {}
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
                self._folding.wake()
                for target in route.targets:
                    self._posts[target.key].thread.wake()
        except Exception:
            self._say("arm", "agentcop: what an earlier process left to send could not be looked at")

    def submit(self, alert: Alert, route: Route, enclosed: Enclosed = NOTHING) -> bool:
        """Take `alert`; whether a channel of `route` will be sent to from here. Never raises.

        `enclosed` goes with its messages. Never blocks either, except for a write to disk where the interpreter is
        ending and starts no more threads.
        False where no channel takes this severity, or each lacks a secret: that is logged, and recorded as failed.
        """
        return self.submit_all(((alert, route, enclosed),))

    def submit_all(self, came: Sequence[tuple[Alert, Route, Enclosed]]) -> bool:
        """The same for several at once, so that one rule which fired on many agents is told of as one.

        Whether each will be sent to a channel from here.
        """
        try:
            taken = [each for each in came if self._takes(*each)]
            if not taken:
                return False
            self._know_exit()
            self._queue.extend(taken)
            if not self._folding.wake() or self._ending:
                self._fold_here()
            return len(taken) == len(came) and all(
                any(target.accepts(alert) and not target.obstacle(self._environ) for target in route.targets)
                for alert, route, _ in taken
            )
        except Exception as error:  # the call that was refused must not be held up by telling of it
            self._say(f"submit {type(error).__name__}", "agentcop: an alert could not be taken")
            return False

    def _takes(self, alert: Alert, route: Route, enclosed: Enclosed) -> bool:
        if not any(target.accepts(alert) for target in route.targets):
            self._hears(enclosed.refs, "nobody")
            return False
        if len(self._queue) >= _QUEUE:
            self._lost_here += 1
            self._hears(enclosed.refs, "failed")
            return False
        self._learn(route)
        for target in route.targets:
            # Here: from Python 3.12 on, an interpreter that is ending lets no thread start another.
            if target.accepts(alert):
                self._posts[target.key].thread.begin()
        return True

    def folded(self, seconds: float) -> bool:
        """Whether all that was submitted is on disk or counted, within `seconds`."""
        return self._folding.rest(seconds)

    def drain(self, seconds: float = EXIT_SECONDS) -> bool:
        """Send what can be sent now; False if that takes longer. Counts that wait for their window go on waiting."""
        until = time.monotonic() + seconds
        return self._folding.rest(seconds) and self._all_sent(until)

    def close(self, seconds: float = EXIT_SECONDS) -> None:
        """The process ends: everything to the disk, then send for at most `seconds`. Counts go out at the next arming.

        Called at exit; what comes later goes to the disk at once.
        """
        until = time.monotonic() + seconds
        self._ending = True
        if not self._folding.rest(seconds):
            self._fold_here()
        self._all_sent(until)
        for thread in (self._folding, *(post.thread for post in tuple(self._posts.values()))):
            thread.end(max(0.0, until - time.monotonic()))

    def _all_sent(self, until: float) -> bool:
        posts = [post for post in self._posts.values() if post.thread.wake()]
        return all(post.thread.rest(max(0.0, until - time.monotonic())) for post in posts)

    def _learn(self, route: Route) -> None:
        for target in route.targets:
            if target.key not in self._posts:
                self._posts.setdefault(target.key, self._post(target))

    def _post(self, target: Target) -> Post:
        return Post(self.outbox, target, self._environ, self._clock, self._settled)

    def _settled(self, item: Item, state: State) -> None:
        if item.refs and state != "pending":
            self._hears(item.refs, "failed" if state == "failed" else "rolled_up" if item.repeat else "sent")

    def _know_exit(self) -> None:
        if self._at_exit_known:
            return
        self._at_exit_known = True
        atexit.register(_weakly(self.close))
        # multiprocessing's children leave without atexit.
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            with IMPORTING:
                from multiprocessing.util import Finalize

            Finalize(None, _weakly(self.close), exitpriority=0)

    def _fold(self) -> float | None:
        with self._one_folds:
            return self._fold_queue()

    def _fold_queue(self) -> float | None:
        now = self._clock()
        if not self._seeded:
            self._seeded = True
            self._on_disk(lambda: self._take_up(now))
        notices = []
        came = [self._queue.popleft() for _ in range(len(self._queue))]
        for alert, route, _ in came:
            if alert.kind != "digest":
                self._rollup.expect(alert, now, route.key)
        for alert, route, enclosed in came:
            notices += self._rollup.add(alert, route, now, enclosed=enclosed, group=route.key)
        if uncounted := self._rollup.uncounted:
            self._rollup.uncounted = []
            self._hears(uncounted, "rolled_up")
        notices += self._rollup.due(now)
        if self._ending:
            notices += self._rollup.close()
        if self._lost_here and self._on_disk(lambda: self.outbox.lose(self._lost_here)):
            self._lost_here = 0
        for notice in notices:
            self._spooling.spool(notice, now)
        for post in tuple(self._posts.values()) if notices else ():
            post.thread.wake()
        due = self._rollup.next_due()
        return None if due is None else max(0.0, due - now)

    def _fold_here(self) -> None:
        """At the very end, when no thread may be left to do it."""
        if not self._one_folds.acquire(timeout=_PATIENCE):
            return  # the thread hangs in the disk; so would we
        try:
            self._fold_queue()
        except Exception:
            _log.exception("agentcop: alerts could not be written to %s", self.outbox.folder)
        finally:
            self._one_folds.release()

    def _on_disk(self, act: Callable[[], None]) -> bool:
        """Whether `act` could be done. Where the disk is full, people must hear of it all the more."""
        try:
            act()
        except OSError:
            self._say("disk", f"agentcop: {self.outbox.folder} cannot be used; alerts go out unsaved, from memory")
            return False
        return True

    def _take_up(self, now: float) -> None:
        """What earlier processes left.

        What went out within the last window is no news: an agent that crashes and restarts is told of once. What no
        armed policy has a channel for, for a day, is given up.
        """
        with IMPORTING:
            from agentcop_alerts.channels import Route

        for item in (*self.outbox.items("sent"), *self.outbox.items("pending")):
            post = self._posts.get(item.channel)
            if post is not None and not item.repeat and now - item.created < WINDOW:
                route = Route(targets=(post.target,), trace_link=item.trace_link)
                notice = Notice(alert=item.alert, route=route, thread=item.thread, note=item.note)
                self._rollup.seed(notice, item.created)
        for path, item in self.outbox.waiting():
            if item.channel not in self._posts and now - item.created > GIVE_UP:
                with self.outbox.claim(path, item) as claim:
                    if claim is not None:
                        claim.failed("no policy that was armed since has this channel", now)
                        self._settled(item, "failed")

    def _after_fork(self) -> None:
        """In a forked child: what was queued, counted and begun is the parent's."""
        self._reset()
        self._folding.after_fork()

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
