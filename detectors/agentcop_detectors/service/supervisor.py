"""Keeps the processes of the service alive, and ends them in the right order."""

from __future__ import annotations

import logging
import os
import signal
import time
from typing import TYPE_CHECKING, Final

from agentcop_detectors.service.child import COULD_NOT, be

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentcop_detectors.service.child import Role
    from agentcop_detectors.service.status import Publisher

_log = logging.getLogger("agentcop")

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LOOK_SECONDS: Final = 0.2
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 10.0
_STEADY_SECONDS: Final = 60.0
"""A process that lived for so long is started again at once."""


class Supervisor:
    """Starts each role as a process, and again when it dies. One thread, no other may run in this process.

    It does nothing else, so that nothing but the kernel can end it: no network, no spans, no database.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        publisher: Publisher,
        *,
        on_look: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`roles` in the order of their start, and of their end. `on_look`: called five times a second."""
        self._children = [_Child(role) for role in roles]
        self._publisher = publisher
        self._on_look = on_look
        self._clock = clock

    def run(self) -> int:
        """Until SIGTERM, SIGINT or SIGHUP; the exit code. Raises OSError where no process can be started.

        0: drained. 1: a process had to be killed, or failed while it drained; what was acknowledged is on disk all
        the same. 2: a process could not do what it was told, at its first start.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (*_SIGNALS, signal.SIGCHLD))
        try:
            return self._run()
        finally:
            for child in self._children:
                child.kill()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _run(self) -> int:
        for child in self._children:
            self._start(child)
        while True:
            self._say()
            self._on_look()
            told = signal.sigtimedwait((*_SIGNALS, signal.SIGCHLD), _LOOK_SECONDS)
            if told is not None and told.si_signo in _SIGNALS:
                return self._drain()
            self._reap()
            now = self._clock()
            for child in self._children:
                if child.gave_up:
                    self._drain()
                    return COULD_NOT
                if not child.pid and now >= child.start_at:
                    self._start(child)

    def _start(self, child: _Child) -> None:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            # The others' pipes too: a copy that stays open here would keep them from seeing their end.
            for other in self._children:
                if other.pipe >= 0:
                    os.close(other.pipe)
            os.close(writing)
            be(child.role, reading)
        os.close(reading)
        child.started(pid, writing, self._clock())

    def _reap(self) -> None:
        """Take note of every process that ended; those that are not ours are taken too, where we are the first one."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self._children:
                if child.pid == pid:
                    child.ended(os.waitstatus_to_exitcode(status), self._clock())

    def _drain(self) -> int:
        """Stop one after the other, each within its time. A second signal ends all of them at once."""
        _log.info("agentcop: draining: %s", ", ".join(child.role.name for child in self._children))
        clean = True
        for child in self._children:
            child.draining = True
        for child in self._children:
            child.let_go()
            deadline = self._clock() + child.role.drain_seconds
            while child.pid:
                told = signal.sigtimedwait((*_SIGNALS, signal.SIGCHLD), _LOOK_SECONDS)
                self._reap()
                again = told is not None and told.si_signo in _SIGNALS
                if child.pid and (again or self._clock() >= deadline):
                    _log.error("agentcop: %s did not end in time; killed", child.role.name)
                    child.kill()
                    clean = False
            clean = clean and child.code == 0
        self._say()
        return 0 if clean else 1

    def _say(self) -> None:
        self._publisher.publish(
            ready=all(child.pid for child in self._children),
            why=", ".join(f"{child.role.name} is not running" for child in self._children if not child.pid),
            counts={f"restarts.{child.role.name}": max(0, child.starts - 1) for child in self._children},
            gauges={f"pid.{child.role.name}": child.pid for child in self._children},
        )


class _Child:
    """One role with what became of its processes."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.pid = 0
        self.pipe = -1
        self.code = 0
        """Of the last process that ended; negative: the signal that ended it."""
        self.starts = 0
        self.start_at = 0.0
        self.gave_up = False
        self.draining = False
        self._pause = _FIRST_PAUSE
        self._since = 0.0

    def started(self, pid: int, pipe: int, now: float) -> None:
        self.pid, self.pipe, self._since = pid, pipe, now
        self.starts += 1

    def let_go(self) -> None:
        """Tell it to end."""
        if self.pipe >= 0:
            os.close(self.pipe)
        self.pipe = -1

    def ended(self, code: int, now: float) -> None:
        self.let_go()
        self.pid, self.code = 0, code
        if self.draining:
            return
        if code == COULD_NOT and self.starts == 1:
            self.gave_up = True
            return
        if now - self._since >= _STEADY_SECONDS:
            self._pause = _FIRST_PAUSE
        self.start_at = now + self._pause
        _log.error("agentcop: %s ended with %d; started again in %.1f s", self.role.name, code, self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def kill(self) -> None:
        """End it now, and wait for that."""
        self.let_go()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid, self.code = 0, -signal.SIGKILL
