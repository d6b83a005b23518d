"""The process that one call runs in, as the supervisor sees it: four pipes, a deadline, and nothing that is trusted."""

from __future__ import annotations

import os
import select
import sys
import time

from . import native
from .wire.pipes import Answer, Output, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_TICK = 0.05  # seconds between two looks for processes that have ended, and at their memory
_REST = 1.0  # the same before the call
_SOON = 0.002  # the same once the result pipe is closed: the process is about to end
_REAPED_AT_ONCE = 512  # of a fork bomb's dead, between two looks at the clock
_AGAIN = 0.005  # seconds between two times of killing all, if nobody's end is told meanwhile
_DEATH = 5.0  # seconds that killed processes may take to be gone
_FAULT = 70  # the exit status of a child that could not run


class HostGone(Exception):  # noqa: N818 -- a state, like a closed connection
    """Nobody is there to answer to."""


class NotDead(Exception):  # noqa: N818 -- a state
    """Something did not end though it was killed: pid 1 must end instead, and with it the whole box."""


class Forked:
    """A process that waits for a parcel, makes its tool, and waits for arguments.

    One at a time: `kill` kills everything.
    """

    __slots__ = ("_alive", "_answer", "_poll", "_request", "err", "exit", "out", "pid")

    def __init__(
        self,
        run: Callable[[int, int, int, int], NoReturn],
        *,
        max_result: int,
        max_output: int,
        scratch: bytearray,
    ) -> None:
        """Fork. In the child `run` gets its ends of the request, result, stdout and stderr pipes. Raises OSError."""
        request, to_child = os.pipe()
        from_child, result = os.pipe()
        out, child_out = os.pipe()
        err, child_err = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                run(request, result, child_out, child_err)
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                os._exit(_FAULT)
        for file in (request, result, child_out, child_err):
            os.close(file)
        self.exit: int | None = None
        """The exit status once it has ended by itself; negative for a signal."""
        self._alive = True
        self._request = Request(to_child)
        self._answer = Answer(from_child, max_result)
        self.out = Output(out, max_output, scratch)
        self.err = Output(err, max_output, scratch)
        self._poll = select.poll()
        self._poll.register(out, select.POLLIN)
        self._poll.register(err, select.POLLIN)

    def idle(self, host: int) -> None:
        """Return when the host says something; until then the tool is loaded, and what it writes is read."""
        self._poll.register(host, select.POLLIN)
        while True:
            ready = dict(self._poll.poll(_REST * 1000 if self._alive else None))
            if host in ready:
                break
            self._turn(ready)
            self._reap()
        self._poll.unregister(host)

    def call(
        self, arguments: bytearray, timeout: float, host: int, greedy: Callable[[], bool] | None = None
    ) -> tuple[str, bytearray]:
        """The protocol's status, and the child's answer where that is `ok`. Raises HostGone.

        Until then the tool runs, for `timeout` seconds at most, and only while `greedy` is not so: `kill` must follow.
        """
        deadline = time.monotonic() + timeout
        self.send(arguments)
        self._poll.register(self._answer.file, select.POLLIN)
        self._poll.register(host, 0)
        tick = _TICK
        looked = 0.0
        while (now := time.monotonic()) < deadline:
            ended = not self._alive  # what it wrote is in the pipe by now
            ready = dict(self._poll.poll(0 if ended else 1 + min(deadline - now, tick) * 1000))
            if host in ready:
                raise HostGone
            self._turn(ready)
            if ended:
                while self._answer.read():
                    pass
            elif self._answer.file in ready and not self._answer.read() and self._answer.state == "closed":
                self._poll.unregister(self._answer.file)
                tick, looked = _SOON, 0.0
            if self._answer.state in {"ok", "too_large"}:
                return self._answer.state, self._answer.data
            if ended:
                return "crashed", bytearray()
            if now - looked >= tick:  # not before a first wait: most calls have answered by then
                self._reap()
                if greedy is not None and greedy():
                    self.exit = -native.SIGKILL  # as where the kernel ends it
                    return "crashed", bytearray()
                looked = now
        return "timeout", bytearray()

    def kill(self) -> None:
        """Kill every process but this one, reap all, and read what they left in the pipes. Raises NotDead."""
        until = time.monotonic() + _DEATH
        while True:
            try:
                os.kill(-1, native.SIGKILL)
            except ProcessLookupError:
                pass  # nobody is left, or only such as wait to be reaped
            if self._reap():
                break
            if time.monotonic() > until:
                raise NotDead
            native.wait_for_a_death(_AGAIN)
        for output in (self.out, self.err):
            while output.read() > 0:
                if time.monotonic() > until:
                    raise NotDead
            os.close(output.file)
        os.close(self._request.file)
        os.close(self._answer.file)

    def wipe(self) -> None:
        """Leave nothing of this call in memory."""
        for part in (self._request, self._answer, self.out, self.err):
            part.wipe()

    def send(self, data: bytearray) -> None:
        """Have a frame written to it, now or as soon as it reads; wiped then."""
        self._request.add(data)
        if self._request.write():
            self._poll.register(self._request.file, select.POLLOUT)

    def _turn(self, ready: dict[int, int]) -> None:
        """Move what can be moved, at most one chunk a pipe, so that none keeps the clock from being looked at."""
        if self._request.file in ready and not self._request.write():
            self._poll.unregister(self._request.file)
        for output in (self.out, self.err):
            if output.file in ready and output.read() == 0:
                self._poll.unregister(output.file)

    def _reap(self) -> bool:
        """Whether no child is left, after taking note of those that have ended."""
        try:
            for _ in range(_REAPED_AT_ONCE):
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return False
                if pid == self.pid:
                    self._alive = False
                    self.exit = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            return True
        return False
