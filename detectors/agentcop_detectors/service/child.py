"""What a process of the service is made of: its work, and how it is told to stop."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Never

from agentcop_core.errors import AgentCopError
from agentcop_core.escape import escape

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("agentcop")

COULD_NOT: Final = 2
"""Exit code of a process that cannot do what it was told: another start would not help."""


class Stop:
    """Told when it is time to end. Thread-safe."""

    def __init__(self) -> None:
        """Not yet."""
        self._event = threading.Event()

    def set(self) -> None:
        """It is time."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether it is time."""
        return self._event.is_set()

    def wait(self, seconds: float | None) -> bool:
        """Sleep for that long, or until it is time; whether it is. None: without end."""
        return self._event.wait(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One process of the service."""

    name: str
    work: Callable[[Stop], None]
    """Runs until stopped. AgentCopError and OSError: it cannot do what it was told. All else is a fault."""
    drain_seconds: float
    """How long it may take to end, once told to."""


def be(role: Role, life: int) -> Never:
    """Be this process, right after the fork, and never return. `life`: a pipe whose other end the supervisor holds.

    The end of `life` is the order to stop, and comes by itself when the supervisor dies. Signals are not: a terminal's
    Ctrl-C reaches every process at once, and the order of draining is the supervisor's.
    """
    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        stop = Stop()
        threading.Thread(target=_listen, args=(life, stop), name="agentcop-life", daemon=True).start()
        role.work(stop)
        code = 0
    except (AgentCopError, OSError) as error:
        for line in str(error).splitlines():
            print(f"agentcop: {role.name}: {escape(line)}", file=sys.stderr)  # noqa: T201 -- as the command says it
        code = COULD_NOT
    except BaseException:
        _log.exception("agentcop: %s failed", role.name)
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        # No handlers of the supervisor's, which this process was copied from.
        os._exit(code)


def _listen(life: int, stop: Stop) -> None:
    with contextlib.suppress(OSError):
        os.read(life, 1)
    stop.set()
