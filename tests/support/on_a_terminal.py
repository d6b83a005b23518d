"""A program with a controlling terminal of its own, whose stdin and stdout are pipes; the test holds the other end."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TAKE = "import os, sys; os.open(sys.argv[1], os.O_RDWR)\n"  # a session's first terminal becomes its own
_PATIENCE = 30.0


class Program:
    """The running program and its terminal."""

    def __init__(self, process: subprocess.Popen[str], terminal: int) -> None:
        self.process = process
        self._terminal = terminal
        self.screen = ""
        """Everything that was shown so far; carriage returns are left out."""
        self._seen = 0

    def wait_for(self, text: str) -> str:
        """Read until `text` is shown after what was waited for before; what was shown up to it."""
        until = time.monotonic() + _PATIENCE
        ready = select.poll()  # select() takes no descriptor above 1023, and every test leaves a log open
        ready.register(self._terminal, select.POLLIN)
        while (at := self.screen.find(text, self._seen)) < 0:
            if ready.poll(100):
                try:
                    got = os.read(self._terminal, 65_536)
                except OSError:
                    got = b""
                self.screen += got.decode().replace("\r", "")
            if time.monotonic() > until:
                raise AssertionError(f"{text!r} is not on the screen:\n{self.screen}")
        before, self._seen = self.screen[self._seen : at], at + len(text)
        return before

    def type(self, text: str) -> None:
        """As typed on the keyboard."""
        os.write(self._terminal, text.encode())

    def hang_up(self) -> None:
        """The window is closed."""
        os.close(self._terminal)
        self._terminal = -1

    def printed(self) -> str:
        """What it wrote to its stdout, once it has ended; fails with its stderr where it failed."""
        out, err = self.process.communicate(timeout=_PATIENCE)
        assert self.process.returncode == 0, err
        return out

    def close(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
        if self._terminal >= 0:
            os.close(self._terminal)


@contextmanager
def on_a_terminal(program: str, *, environ: Mapping[str, str] = os.environ) -> Iterator[Program]:
    """Run this Python text in a session whose controlling terminal the test holds."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _TAKE + program, os.ttyname(theirs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=dict(environ),
    )
    os.close(theirs)
    running = Program(process, ours)
    with process:
        try:
            yield running
        finally:
            running.close()
