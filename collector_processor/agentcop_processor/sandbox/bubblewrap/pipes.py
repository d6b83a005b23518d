"""The pipe to a box that is a process of this machine: bounded by deadlines, and killed with all that runs in it."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import threading
import time
import weakref
from typing import TYPE_CHECKING

from agentcop_processor.sandbox.bubblewrap import blame
from agentcop_processor.sandbox.engine import LinkLost

if TYPE_CHECKING:
    from subprocess import Popen

    from agentcop_processor.sandbox.engine import EngineName

_log = logging.getLogger(__name__)
_TAIL = 4096  # bytes of the supervisor's standard error that are kept
_CHUNK = 65536
_LOOK = 1.0  # seconds between two looks at whether another thread has killed the box
_DEATH = 5.0  # seconds that killed processes may take to be gone


class PipeLink:
    """A bubblewrap and the pid namespace that it made. One thread sends and receives; any thread kills."""

    engine: EngineName = "process"

    def __init__(self, process: Popen[bytes]) -> None:
        """Takes the process over."""
        self.id = str(process.pid)
        self._process = process
        self.first: int | None = None
        """A pidfd of the box's pid 1, with which all of the box dies; None until bubblewrap has made it."""
        self._outer = os.pidfd_open(process.pid)
        self._streams = [stream for stream in (process.stdin, process.stdout, process.stderr) if stream is not None]
        self._in, self._out, self._err = (stream.fileno() for stream in self._streams)
        for stream in self._streams:
            os.set_blocking(stream.fileno(), False)
        self._said = bytearray()
        self._tail = b""
        self._err_open = True
        self._killed = False
        self._files = threading.Lock()
        """Held while any of the files is used: nobody closes one, and its number is given to no other, meanwhile."""
        self._kill = threading.Lock()
        _open.add(self)

    def send(self, data: bytes, deadline: float) -> None:
        """Write to the box's standard input; blocks until `deadline` (of `time.monotonic`). Raises LinkLost."""
        with self._files:
            left = memoryview(data)
            while left:
                self._check_alive()
                try:
                    left = left[os.write(self._in, left[:_CHUNK]) :]
                except BlockingIOError:
                    self._wait(self._in, select.POLLOUT, deadline)
                except OSError:
                    raise self._lost() from None

    def receive(self, size: int, deadline: float) -> bytes:
        """Exactly `size` bytes of the box's standard output. Raises LinkLost."""
        with self._files:
            while len(self._said) < size:
                self._check_alive()
                try:
                    piece = os.read(self._out, _CHUNK)
                except BlockingIOError:
                    self._wait(self._out, select.POLLIN, deadline)
                    continue
                if not piece:
                    raise self._lost()
                self._said += piece
            data = bytes(self._said[:size])
            del self._said[:size]
            return data

    def stderr(self) -> str:
        """The last 4 KiB that bubblewrap and the supervisor said on standard error; never the tool's own."""
        if self._files.acquire(timeout=_LOOK):
            try:
                self._drain()
            finally:
                self._files.release()
        return self._tail.decode("utf-8", "replace")

    def alive(self) -> bool:
        """Whether the box has not ended."""
        return not self._killed and not _ended(self._outer, 0.0)

    def abandon(self) -> None:
        """Close this process's ends: in a forked child the box is the parent's. Idempotent, also after its end."""
        if self._killed:
            return  # the files are closed, or about to be: their numbers may be others' by now
        self._killed = True
        for stream in self._streams:
            with contextlib.suppress(OSError):
                stream.close()
        for pidfd in (self._outer, self.first):
            if pidfd is not None:
                with contextlib.suppress(OSError):
                    os.close(pidfd)
        self._process.returncode = 0  # it is no child of this process, and nobody here waits for it

    def kill(self) -> None:
        """Kill pid 1 of the box, and with it everything in there, and wait for its end. Idempotent, never raises."""
        try:
            with self._kill:
                if not self._killed:
                    self._end()
        except Exception:
            _log.exception("agentcop: the box of process %s could not be ended", self.id)

    def _end(self) -> None:
        deadline = time.monotonic() + _DEATH
        if self.first is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.first, signal.SIGKILL)
            _ended(self.first, deadline)  # pid 1 ends after all of its namespace, and bubblewrap next
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        if not _ended(self._outer, deadline):
            self._process.kill()
            if not _ended(self._outer, time.monotonic() + _DEATH):
                _log.error("agentcop: bubblewrap, process %s, was killed and does not end", self.id)
                return
        self._process.wait()
        self._killed = True
        if not self._files.acquire(timeout=_DEATH):
            _log.error("agentcop: the pipes of process %s are in use by a thread that does not end", self.id)
            return
        try:
            self._drain()
            for stream in self._streams:
                stream.close()
            self._err_open = False
            os.close(self._outer)
            if self.first is not None:
                os.close(self.first)
        finally:
            self._files.release()

    def _wait(self, file: int, event: int, deadline: float) -> None:
        """Return when `file` may be ready. Raises LinkLost once the box has ended and nothing is left to read."""
        while True:
            self._check_alive()
            left = deadline - time.monotonic()
            poll = select.poll()
            poll.register(file, event)
            poll.register(self._outer, select.POLLIN)
            if self._err_open:
                poll.register(self._err, select.POLLIN)
            ready = dict(poll.poll(max(0.0, min(left, _LOOK)) * 1000))
            if self._err in ready:
                self._drain()
            if file in ready:
                return
            if self._outer in ready:
                raise self._lost()
            if left <= 0:
                raise LinkLost("the box did not answer in time", late=True)

    def _check_alive(self) -> None:
        if self._killed:
            raise LinkLost("the box has been killed")

    def _lost(self) -> LinkLost:
        self._drain()
        return LinkLost(blame.explained(self._tail.decode("utf-8", "replace")))

    def _drain(self) -> None:
        while self._err_open:
            try:
                piece = os.read(self._err, _CHUNK)
            except BlockingIOError:
                return
            except OSError:
                piece = b""
            if not piece:
                self._err_open = False
            self._tail = (self._tail + piece)[-_TAIL:]


_open: weakref.WeakSet[PipeLink] = weakref.WeakSet()


def _after_fork() -> None:
    """A box lives as long as anybody holds the other end of its standard input: a forked child lets go of it."""
    for link in list(_open):
        link.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _ended(pidfd: int, deadline: float) -> bool:
    """Whether the process ends before the deadline; waits for it."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))
