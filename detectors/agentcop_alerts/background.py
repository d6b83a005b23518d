"""A thread that does one thing whenever it is woken, and ends when told to, or with the process."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Final

from opentelemetry import context as context_api

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("agentcop")
_AFTER_FAULT: Final = 5.0
_SUPPRESS: Final[str] = getattr(context_api, "_SUPPRESS_INSTRUMENTATION_KEY", "suppress_instrumentation")


class Background:
    """Calls `step` in a daemon thread, which starts at the first `wake`. Thread-safe.

    `step` returns the seconds after which it wants to be called again, None if only when woken. What it raises is
    logged, the same kind once.
    """

    def __init__(self, name: str, step: Callable[[], float | None]) -> None:
        """Starts nothing."""
        self._name = name
        self._step = step
        self._said: set[str] = set()
        self.after_fork()

    def after_fork(self) -> None:
        """In a forked child: the thread is the parent's."""
        # A bare lock: raising it is one step, so that a finaliser that wakes us cannot deadlock on it.
        self._signal = threading.Lock()
        self._signal.acquire()
        self._starting = threading.RLock()
        self._thread: threading.Thread | None = None
        self._ending = False
        self._waiters: list[threading.Event] = []

    def wake(self) -> bool:
        """Let `step` run soon. False if the interpreter is ending and starts no more threads."""
        with contextlib.suppress(RuntimeError):  # raised already: once is enough
            self._signal.release()
        return self.begin()

    def begin(self) -> bool:
        """Start the thread without a step to do; False as for `wake`."""
        return self._thread is not None or self._start()

    def rest(self, seconds: float) -> bool:
        """Wake it and wait until `step` has run since; False if that takes longer than `seconds`."""
        if self._thread is threading.current_thread():
            return False
        done = threading.Event()
        with self._starting:
            self._waiters.append(done)
        return self.wake() and done.wait(seconds)

    def end(self, seconds: float) -> None:
        """End the thread after one more step, waiting at most `seconds` for that. A later `wake` starts another."""
        with self._starting:
            thread = self._thread
            if thread is None or thread is threading.current_thread():
                return
            self._ending = True
            with contextlib.suppress(RuntimeError):  # raised already: once is enough
                self._signal.release()
        thread.join(seconds)

    def _start(self) -> bool:
        with self._starting:
            if self._thread is not None:
                return True
            self._ending = False
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._thread = thread
            return True

    def _run(self) -> None:
        # Whoever traces HTTP in this process must not trace ours.
        context_api.attach(context_api.set_value(_SUPPRESS, value=True))
        seconds: float | None = None
        last = False
        while not last:
            self._signal.acquire(timeout=-1 if seconds is None else max(0.0, min(seconds, threading.TIMEOUT_MAX)))
            with self._starting:
                waiters, self._waiters = self._waiters, []
                last = self._ending
                if last:  # this step answers what was raised so far
                    self._signal.acquire(blocking=False)
            try:
                seconds = self._step()
            except Exception as error:  # telemetry swallows its own faults and says so once
                kind = type(error).__name__
                if kind not in self._said:
                    self._said.add(kind)
                    _log.exception("agentcop: %s failed; it goes on", self._name)
                seconds = _AFTER_FAULT
            for waiter in waiters:
                waiter.set()
        with self._starting:
            self._thread = None
        # Who woke us during that step saw a thread still there.
        if self._signal.acquire(blocking=False):
            self.wake()
