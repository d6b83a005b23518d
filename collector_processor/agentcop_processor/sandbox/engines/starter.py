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

    from agentcop_processor.sandbox.engines.pipes import PipeLink


@dataclass(slots=True, kw_only=True)
class _Job:
    start: Callable[[], PipeLink]
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: threading.Event = field(default_factory=threading.Event)
    link: PipeLink | None = None
    error: BaseException | None = None
    given_up: bool = False


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
                job.given_up = job.link is None and job.error is None
            if job.given_up:
                raise EngineDown(f"a box could not be started in {timeout:g} seconds")
        if job.error is not None:
            raise job.error
        assert job.link is not None
        return job.link

    def _forget(self) -> None:
        """The parent's thread, what it had to do, and a lock that another of its threads may have held, are not here."""
        self._lock = threading.Lock()
        self._jobs = queue.SimpleQueue()


def _serve(jobs: queue.SimpleQueue[_Job]) -> None:
    while True:
        _do(jobs.get())


def _do(job: _Job) -> None:
    if job.given_up:
        return
    link, error = None, None
    try:
        link = job.start()
    except BaseException as raised:
        error = raised
    with job.lock:
        job.link, job.error = link, error
        unwanted = job.given_up
    job.done.set()
    if unwanted and link is not None:
        link.kill()
