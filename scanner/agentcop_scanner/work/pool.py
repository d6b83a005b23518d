"""Scans files in several processes. One that dies, or takes too long, costs the file it was at and no other."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from agentcop_scanner.analysis import Analysis
from agentcop_scanner.work.codec import decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentcop_scanner.source.disk.discovery import FoundFile

MAX_SECONDS = 120.0
"""That one file may take."""
_BATCH = 24
"""Files that a process takes at a time: neighbours import the same."""
START = "import sys; sys.path[:0] = sys.argv[1:]; from agentcop_scanner.work.worker import main; main()"
"""What a process runs: `-I` keeps the working folder and the environment out of its imports."""


class _Worker:
    """One process, and the files it was given."""

    def __init__(self, orders: bytes, max_seconds: float) -> None:
        self.max_seconds = max_seconds
        self.slow = False
        room = [str(Path(__file__).parents[2]), *(path for path in sys.path if path.endswith("site-packages"))]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("AGENTCOP_", "PYTHON"))}
        self.process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-I", "-c", START, *room],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._write(orders)

    def _write(self, line: bytes) -> None:
        if self.process.stdin is not None:
            try:
                self.process.stdin.write(line + b"\n")
                self.process.stdin.flush()
            except OSError:
                return  # it is dead, which its answer says

    def scan(self, at: int) -> bytes:
        """The answer for a file; empty if the process died or took too long."""
        self._write(str(at).encode())
        timer = threading.Timer(self.max_seconds, self._stop)
        timer.start()
        try:
            return self.process.stdout.readline() if self.process.stdout is not None else b""
        finally:
            timer.cancel()

    def _stop(self) -> None:
        self.slow = True
        self.process.kill()

    def close(self) -> None:
        """Ends the process."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # it had not read everything
        self.process.kill()
        self.process.wait()


class Pool:
    """Processes that scan together."""

    def __init__(self, files: Sequence[FoundFile], jobs: int, *, max_seconds: float = MAX_SECONDS) -> None:
        self.files = files
        self.jobs = jobs
        self.max_seconds = max_seconds
        self._orders = orjson.dumps([asdict(file) for file in files])

    def run(self, wanted: Sequence[int], done: Callable[[int, Analysis], None]) -> None:
        """Scans the files at these places, and calls `done` with each, from one thread at a time."""
        work: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
        for start in range(0, len(wanted), _BATCH):
            work.put(list(wanted[start : start + _BATCH]))
        lock = threading.Lock()
        faults: list[BaseException] = []

        def one_worker() -> None:
            try:
                self._work(work, lock, done)
            except BaseException as error:  # told to whoever waits, in their own thread
                faults.append(error)

        threads = [threading.Thread(target=one_worker, daemon=True) for _ in range(min(self.jobs, work.qsize()))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            raise faults[0]

    def _work(
        self, work: queue.SimpleQueue[list[int]], lock: threading.Lock, done: Callable[[int, Analysis], None]
    ) -> None:
        worker = _Worker(self._orders, self.max_seconds)
        try:
            while True:
                try:
                    batch = work.get_nowait()
                except queue.Empty:
                    return
                for at in batch:
                    answer = worker.scan(at)
                    if answer:
                        analysis = decoded(answer)
                    else:
                        analysis = self._lost(worker, at)
                        worker.close()
                        worker = _Worker(self._orders, self.max_seconds)
                    with lock:
                        done(at, analysis)
        finally:
            worker.close()

    def _lost(self, worker: _Worker, at: int) -> Analysis:
        why = f"took over {self.max_seconds:g} seconds" if worker.slow else "the process that scanned it died"
        return Analysis(path=self.files[at].path, unscored="failed", problem=why)
