"""The thread that starts all boxes of a process.

A box must end when the process that asked for it ends, and the kernel tells a box of the end of the *thread* that
started it, not of the process. So one thread starts them all, and lives as long as the process.
"""

from __future__ import annotations

import os
import queue
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agentcop_processor.sandbox.engine import EngineDown

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_processor.sandbox.bubblewrap.pipes import PipeLink


@dataclass(slots=True, kw_only=True)
class _Job:
    start: Callable[[], PipeLink]
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: threading.Event = field(default_factory=threading.Event)
    outcome: PipeLink | BaseException | None = None
    given_up: bool = False
    """Whoever waited for it does not any more."""


class Starter:
    """Starts one box at a time. Thread-safe; has a thread of its own again in a process that was forked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        os.register_at_fork(after_in_child=self._forget)

    def run(self, start: Callable[[], PipeLink], timeout: float) -> PipeLink:
        """What `start` returns or raises, in the thread. Raises EngineDown after so many seconds; nothing then runs."""
        with self._lock:
            if self._pid != os.getpid():
                threading.Thread(target=_serve, args=(self._jobs,), name="agentcop-boxes", daemon=True).start()
                self._pid = os.getpid()
        job = _Job(start=start)
        self._jobs.put(job)
        if not job.done.wait(timeout):
            with job.lock:
                job.given_up = job.outcome is None
        if job.outcome is None:
            raise EngineDown(f"a box could not be started in {timeout:g} seconds")
        if isinstance(job.outcome, BaseException):
            raise job.outcome
        return job.outcome

    def _forget(self) -> None:
        """Neither the parent's thread is here, nor who may have held the lock."""
        self._lock = threading.Lock()
        self._jobs = queue.SimpleQueue()


def _serve(jobs: queue.SimpleQueue[_Job]) -> None:
    while True:
        _do(jobs.get())


def _do(job: _Job) -> None:
    if job.given_up:
        return
    outcome: PipeLink | BaseException
    try:
        outcome = job.start()
    except BaseException as error:
        outcome = error
    taken = _give(job, outcome)
    job.done.set()
    if not taken and not isinstance(outcome, BaseException):
        outcome.kill()


def _give(job: _Job, outcome: PipeLink | BaseException) -> bool:
    """Whether somebody still waits for it."""
    with job.lock:
        if job.given_up:
            return False
        job.outcome = outcome
        return True
