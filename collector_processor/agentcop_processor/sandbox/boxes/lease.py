"""One box for one call: the arguments in, the answer out, and the box's end."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING, Final

from agentcop_core.locks import safe_lock
from agentcop_processor.sandbox.boxes.answer import given
from agentcop_processor.sandbox.boxes.conversation import Reply
from agentcop_processor.sandbox.boxes.printed import tell_printed
from agentcop_processor.sandbox.engine import LinkLost
from agentcop_processor.sandbox.inside.wire.frames import MAX_FRAME
from agentcop_processor.sandbox.inside.wire.values import Unsendable, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentcop_processor.sandbox.boxes.answer import Given
    from agentcop_processor.sandbox.boxes.pool import Waiting
    from agentcop_processor.sandbox.egress.heard import Heard
    from agentcop_processor.sandbox.engine import EngineName

_log = logging.getLogger("agentcop")
_STAY: Final = "or leave the tool out of `sandbox.tools`"


class Refused(Exception):  # noqa: N818 -- an answer, not a fault
    """No box can be had, or the call cannot travel: the tool has not run. The message says why, and the way out."""


class Once:
    """Something to be done once, by whoever comes first. Thread-safe."""

    def __init__(self, do: Callable[[], object]) -> None:
        """Nothing is done yet."""
        self._left = [do]

    def __call__(self) -> None:
        """Do it, if it was not done."""
        try:
            do = self._left.pop()
        except IndexError:
            return
        do()


class Room:
    """A number of places. Thread-safe, and safe to be left by a finaliser, which runs in the middle of anything."""

    def __init__(self, places: int) -> None:
        """All are free."""
        self._places = places
        self._taken = 0
        self._lock = safe_lock()
        self._freed = threading.Condition(self._lock)

    def enter(self, seconds: float) -> bool:
        """Take a place; False: none was free for so long. Blocks."""
        with self._lock:
            free = self._freed.wait_for(lambda: self._taken < self._places, timeout=seconds)
            self._taken += free
            return free

    def leave(self) -> None:
        """Give a place back. Never blocks."""
        with self._lock:
            self._taken -= 1
            self._freed.notify()


class Lease:
    """One box for one call. Used by one thread at a time; `close` by any. One that is forgotten ends by itself."""

    def __init__(self, waiting: Waiting, give_back: Callable[[Waiting, bool], None], room: Once) -> None:
        """`waiting`: has the tool loaded. `give_back`: takes it after the call, and whether it may serve another.

        `room`: told when the call is over.
        """
        self._waiting = waiting
        self._room = room
        self._give_back = give_back
        self._ended = False
        self._heard: Heard | None = None

    def __del__(self) -> None:
        """Its caller was interrupted where nobody could close it: its place is the next call's all the same."""
        self._over(again=False)

    @property
    def engine(self) -> EngineName:
        """Which engine runs the box."""
        return self._waiting.box.link.engine

    @property
    def ended(self) -> bool:
        """Whether the call is over, or its box is being killed."""
        return self._ended

    def run(self, tool: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Given:
        """Run the tool in the box; blocks up to the policy's time-out and two seconds.

        Raises what the tool raised; SandboxError where it did not come to its end, or could not be made in the box;
        Refused where its arguments cannot travel.
        """
        settings = self._waiting.kind.settings
        try:
            arguments = json.dumps(_encoded(args, kwargs)).encode()
        except Unsendable as error:
            self.close()
            raise Refused(f"its arguments cannot travel into a box ({error}): pass plain values, {_STAY}") from None
        if len(arguments) > MAX_FRAME:
            self.close()
            raise Refused(f"its arguments cannot travel into a box: they are longer than {MAX_FRAME >> 20}MiB")
        try:
            reply = self._waiting.box.call(arguments, settings.timeout)
        except LinkLost as lost:
            self.close()
            reply = _lost(lost)
        except BaseException:
            self.close()
            raise
        self.heard()  # before another call has the box
        tell_printed(tool, reply)
        self._over(again=reply.status == "ok" and settings.reuse == "per_agent")
        return given(tool, reply, settings)

    def heard(self) -> Heard | None:
        """What the call has asked for on its way out, up to its end or to the first look; None: there is no network."""
        if self._heard is None and self._waiting.box.heard is not None:
            self._heard = self._waiting.box.heard()
        return self._heard

    def close(self) -> None:
        """Kill the box now, whatever runs in it, unless the call is over. Blocks up to a few seconds. Never raises."""
        if not self._ended:
            self._ended = True
            try:
                self._waiting.box.close()
            finally:
                self._room()

    def _over(self, *, again: bool) -> None:
        """The box has answered, so nothing of the call runs any more."""
        if not self._ended:
            self._ended = True
            self._give_back(self._waiting, again)


def _encoded(args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
    return {"args": encode(list(args), "arguments"), "kwargs": encode(dict(kwargs), "arguments")}


def _lost(lost: LinkLost) -> Reply:
    _log.warning("agentcop: a box was lost: %s", lost)
    return Reply(
        status="timeout" if lost.late else "crashed", exit=None, ms=0.0, result=b"", stdout=b"", stderr=b"", cut=0
    )
