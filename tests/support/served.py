"""A server program that is started, asked over HTTP and stopped, with its log for those who want to know why."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from processes import Program

_PATIENCE = 120  # seconds; only a broken server takes so long
_POLL = 0.1


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One running server, with its children in a session of their own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        """Made by `serving`."""
        self._process = process
        self._port = port
        self._log = log

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str) -> str:
        """The answer to GET `path`, once there is one."""
        limit = time.monotonic() + _PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=_PATIENCE) as answer:
                    return str(answer.read().decode())
            except OSError:
                if time.monotonic() > limit or self._process.poll() is not None:
                    raise AssertionError(self.log) from None
                time.sleep(_POLL)

    def is_silent(self) -> bool:
        """Whether a request now gets no answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/look", timeout=1):
                return False
        except OSError:
            return True

    def wait_for(self, words: str, times: int = 1) -> None:
        """Return once the log holds `words` so often."""
        limit = time.monotonic() + _PATIENCE
        while self.log.count(words) < times:
            assert time.monotonic() < limit, self.log
            time.sleep(_POLL)

    def exit_code(self) -> int:
        """The server's, once it has ended by itself."""
        return self._process.wait(_PATIENCE)


@contextlib.contextmanager
def serving(program: Program, command: Sequence[str | Path], port: int) -> Iterator[Server]:
    """Start `command` in the program's folder and environment; killed with all that it started at the end."""
    log = program.folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=program.folder,
            env={**os.environ, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield Server(process, port, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
