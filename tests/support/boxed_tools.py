"""Tools as an application has them: functions of a module, that a box imports by name."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

HOST_PID = os.getpid()


class OutOfStock(Exception):  # noqa: N818 -- as an application names it
    """An application's own error."""


def where(text: str = "") -> dict[str, Any]:
    """Where this runs, and what it was given."""
    return {"pid": os.getpid(), "uid": os.getuid(), "text": text, "home": os.environ.get("HOME")}


async def later(text: str) -> str:
    """A tool that is awaited."""
    await asyncio.sleep(0.01)
    return f"{text} in {os.getpid()}"


def touch(path: str) -> str:
    """Leave a mark on the host, if this runs there."""
    Path(path).write_text("ran", encoding="utf-8")
    return "written"


def read(path: str) -> str:
    """Read a file of the box."""
    return Path(path).read_text(encoding="utf-8")


def variable(name: str) -> str | None:
    """What the environment has by this name."""
    return os.environ.get(name)


def order(count: int) -> int:
    """Raise the application's own error, or a builtin one."""
    if count < 0:
        raise ValueError(count)
    if count > 3:
        raise OutOfStock("only 3 left", count)
    return count


def give(kind: str) -> Any:
    """Results of all kinds."""
    return {
        "tuple": (1, (2, 3)),
        "set": {1, 2},
        "bytes": b"\x00\xff",
        "deep": {"a": [{"b": None}], 1: True},
        "object": object(),
        "large": "x" * 3_000_000,
    }[kind]


def hang(mark: str) -> None:
    """Ignore every signal that can be, leave a grandchild in a session of its own, and never end."""
    import signal
    import subprocess
    import sys
    import time

    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except OSError:
            continue
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", mark], start_new_session=True)
    while True:
        time.sleep(600)


async def hang_async(mark: str) -> None:
    """As `hang`, for callers that await."""
    hang(mark)


def write(text: str, times: int) -> str:
    """Write to both outputs."""
    import sys

    for _ in range(times):
        sys.stdout.write(text)
        sys.stderr.write(text)
    return "written"


async def steer(kind: str) -> None:
    """Raise what a caller's event loop would obey rather than report."""
    import concurrent.futures

    raise {
        "end": StopIteration(1),
        "async end": StopAsyncIteration(),
        "cancelled": asyncio.CancelledError(),
        "cancelled future": concurrent.futures.CancelledError(),
        "closed": GeneratorExit(),
        "exit": SystemExit(3),
        "interrupt": KeyboardInterrupt(),
    }[kind]


def ask(*urls: str) -> list[int]:
    """The status that each of them is answered with, by whatever proxy there is."""
    import urllib.error
    import urllib.request

    found = []
    for url in urls:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 -- what is asked for is the test
                found.append(answer.status)
        except urllib.error.HTTPError as refused:
            found.append(refused.code)
        except urllib.error.URLError as refused:
            found.append(403 if "403" in str(refused) else 0)
    return found


def ask_and_hang(url: str) -> None:
    """Ask for it, and never end."""
    import time

    ask(url)
    while True:
        time.sleep(60)


def shared_memory(key: int) -> int:
    """Make a piece of System V's shared memory, which outlives this process; its number, or -1."""
    import ctypes

    number: int = ctypes.CDLL(None).shmget(key, 4096, 0o1666)
    return number
