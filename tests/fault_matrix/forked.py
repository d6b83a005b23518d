"""Work in a forked child, which may die of it; and with a terminal of its own."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 60.0
_LOOK = 50  # milliseconds


def in_a_fork(work: Callable[[], object]) -> int:
    """Run it in a child that ends with it; the child's wait status. Raises TimeoutError where it does not end."""
    child = os.fork()
    if child == 0:
        _end_with(work)
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.002)
    _kill(child)
    raise TimeoutError("a forked child did not end")


def on_a_terminal(work: Callable[[], object], answer: Callable[[str], str]) -> str:
    """Run it in a child whose controlling terminal is ours: `answer` gives what is typed at a screen, "" for nothing.

    Everything that was shown. Raises TimeoutError where it does not end.
    """
    child, terminal = pty.fork()
    if child == 0:
        _end_with(work)
    shown, asked_at = "", 0
    screen = select.poll()  # `select` takes no descriptor above 1023
    screen.register(terminal, select.POLLIN | select.POLLHUP)
    until = time.monotonic() + _PATIENCE
    try:
        while time.monotonic() < until:
            if not screen.poll(_LOOK):
                continue
            try:
                got = os.read(terminal, 65_536)
            except OSError:  # the child has closed its end
                got = b""
            if not got:
                return shown
            shown += got.decode("utf-8", "replace")
            if typed := answer(shown[asked_at:]):
                asked_at = len(shown)
                os.write(terminal, typed.encode())
        raise TimeoutError(f"a program on a terminal did not end: {shown[-300:]}")
    finally:
        _kill(child)
        os.close(terminal)


def _end_with(work: Callable[[], object]) -> None:
    """In the child: nothing after it runs, no handler of the parent's, no cleaning up."""
    try:
        work()
    finally:
        os._exit(0)


def _kill(child: int) -> None:
    try:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        return
