"""The host's side of what is said between a process and a box: frames over a `Link`, see `inside`.

Everything that comes back is hostile: lengths are checked before a byte is read, and the result is only JSON.
"""

from __future__ import annotations

import json
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeGuard

from agentcop_processor.sandbox.engine import LinkLost
from agentcop_processor.sandbox.inside.wire.frames import loads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentcop_processor.sandbox.egress.heard import Heard
    from agentcop_processor.sandbox.engine import Link
    from agentcop_processor.sandbox.settings import Settings

Status = Literal["ok", "timeout", "crashed", "too_large"]
"""`ok`: the child has answered. `timeout`: it was killed. `crashed`: it ended without an answer. `too_large`: its
answer is longer than allowed, and was thrown away."""

_STATUSES: Final = frozenset({"ok", "timeout", "crashed", "too_large"})
_LENGTH: Final = struct.Struct(">I")
_MAX_MESSAGE: Final = 65_536
_LARGEST: Final = 1 << 53
_TO_OPEN: Final = 10.0
_TO_SEND: Final = 10.0
_TO_CLEAN: Final = 3.0
"""The box gives itself one second."""
_GRACE: Final = 2.0
"""How much longer than the box the host waits before it kills the box itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of one call in a box."""

    status: Status
    exit: int | None
    """The child's exit code, negative for a signal; None where it was not seen to end."""
    ms: float
    """How long it took in the box."""
    result: bytes
    """The child's own JSON; empty unless `ok`. Hostile."""
    stdout: bytes
    """The first `max_stdout` bytes. Hostile."""
    stderr: bytes
    """As `stdout`."""
    cut: int
    """How many bytes of both were dropped."""


class Box:
    """One open box. Used by one thread at a time; `close` by any."""

    def __init__(
        self,
        link: Link,
        settings: Settings,
        *,
        heard: Callable[[], Heard] | None = None,
        closed: Callable[[], None] | None = None,
    ) -> None:
        """`link`: to a box that has just been started. Nothing is said yet.

        `heard`: what it has asked for on its way out since this was last called; None: it has none. `closed`: called
        once it is killed.
        """
        self.link = link
        self.heard = heard
        self._closed = closed
        self._settings = settings
        self.facts: Mapping[str, object] = {}
        self._used = False

    def open(self, confine: Mapping[str, object] | None, *, egress: bool) -> Mapping[str, object]:
        """Tell the supervisor its limits and return its facts about the box. Blocks up to 10 s. Raises LinkLost."""
        settings = self._settings
        limits = {"max_result": settings.max_result, "max_output": settings.max_stdout, "confine": confine}
        deadline = time.monotonic() + _TO_OPEN
        self._say({"op": "open", "limits": limits, "egress": egress}, deadline=deadline)
        answer = self._hear("ready", deadline)
        facts = answer.get("facts")
        if not isinstance(facts, dict):
            raise LinkLost("the box did not say what it is")
        self.facts = facts
        return facts

    def prepare(self, parcel: bytes) -> None:
        """Have a child load the tool and wait. Blocks for the sending alone. Raises LinkLost."""
        self._say({"op": "prepare"}, parcel, deadline=time.monotonic() + _TO_SEND)

    def call(self, arguments: bytes, timeout: float) -> Reply:
        """Run the prepared tool once; blocks up to `timeout` seconds and two more. Raises LinkLost."""
        deadline = time.monotonic() + timeout + _GRACE
        self.cleaned()
        self._used = True
        self._say({"op": "call", "timeout": timeout}, arguments, deadline=deadline)
        answer = self._hear("done", deadline)
        most = self._settings.max_stdout
        result = self._frame(self._settings.max_result, deadline)
        stdout, stderr = self._frame(most, deadline), self._frame(most, deadline)
        status, exit_code, ms = answer.get("status"), answer.get("exit"), answer.get("ms")
        if not isinstance(status, str) or status not in _STATUSES:
            raise LinkLost("the box gave an answer that is none")
        return Reply(
            status=status,  # type: ignore[arg-type]  # it is one of _STATUSES
            exit=exit_code if _is_number(exit_code) else None,
            ms=float(ms) if isinstance(ms, float) or _is_number(ms) else 0.0,
            result=result,
            stdout=stdout,
            stderr=stderr,
            cut=_count(answer.get("stdout_cut")) + _count(answer.get("stderr_cut")),
        )

    def cleaned(self) -> None:
        """Return when nothing of an earlier call is left in the box. Blocks for up to 3 s. Raises LinkLost."""
        if self._used:
            self._hear("clean", time.monotonic() + _TO_CLEAN)
            self._used = False

    def close(self) -> None:
        """Kill the box, whatever runs in it: as `Link.kill`."""
        try:
            self.link.kill()
        finally:
            if self._closed is not None:
                self._closed()

    def _say(self, message: Mapping[str, object], *frames: bytes, deadline: float) -> None:
        head = json.dumps({**message, "frames": len(frames)}).encode()
        self.link.send(b"".join(_LENGTH.pack(len(each)) + each for each in (head, *frames)), deadline)

    def _hear(self, op: str, deadline: float) -> Mapping[str, object]:
        try:
            message = loads(self._frame(_MAX_MESSAGE, deadline))
        except ValueError:
            raise LinkLost("the box said what is no message") from None
        if not isinstance(message, dict) or message.get("op") != op:
            raise LinkLost(f"the box said something else than {op}")
        return message

    def _frame(self, most: int, deadline: float) -> bytes:
        (length,) = _LENGTH.unpack(self.link.receive(_LENGTH.size, deadline))
        if length > most:
            raise LinkLost(f"the box sent {length} bytes where {most} may come")
        return self.link.receive(length, deadline) if length else b""


def _count(value: object) -> int:
    return value if _is_number(value) and value > 0 else 0


def _is_number(value: object) -> TypeGuard[int]:
    """Whether this is an int of a size that anything here can have."""
    return type(value) is int and -_LARGEST < value < _LARGEST
