"""One box for one call: the arguments in, the answer out, and the box's end."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Final

from agentcop_core.escape import escape, shorten
from agentcop_processor.sandbox.boxes.answer import given
from agentcop_processor.sandbox.boxes.conversation import Reply
from agentcop_processor.sandbox.engine import LinkLost
from agentcop_processor.sandbox.inside.wire.values import Unsendable, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentcop_processor.sandbox.boxes.answer import Given
    from agentcop_processor.sandbox.boxes.pool import Waiting

_log = logging.getLogger("agentcop")
_SHOWN: Final = 2_000


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


class Lease:
    """One box for one call. Used by one thread at a time; `close` by any."""

    def __init__(self, waiting: Waiting, give_back: Callable[[Waiting, bool], None], room: Once) -> None:
        """`waiting`: has the tool loaded. `give_back`: takes it after the call, and whether it may serve another.

        `room`: told when the call is over.
        """
        self._waiting = waiting
        self._room = room
        self._give_back = give_back
        self._ended = False

    @property
    def engine(self) -> str:
        """Which engine runs the box: `docker`, `podman` or `process`."""
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
            raise Refused(f"its arguments cannot travel into a box ({error}): pass plain values") from None
        try:
            reply = self._waiting.box.call(arguments, settings.timeout)
        except LinkLost as lost:
            self.close()
            reply = _lost(lost)
        except BaseException:
            self.close()
            raise
        _tell(tool, reply)
        self._over(again=reply.status == "ok" and settings.reuse == "per_agent")
        return given(tool, reply, settings)

    def close(self) -> None:
        """Kill the box now, whatever runs in it, unless the call is over. Blocks up to a few seconds. Never raises."""
        if not self._ended:
            self._ended = True
            self._waiting.box.close()
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


def _tell(tool: str, reply: Reply) -> None:
    """Log what the tool wrote to its standard output and error: for whoever debugs it."""
    if reply.cut:
        _log.warning("agentcop: %s wrote %d bytes more than sandbox.max_stdout keeps for the log", tool, reply.cut)
    for name, text in (("output", reply.stdout), ("error", reply.stderr)):
        if text and _log.isEnabledFor(logging.DEBUG):
            _log.debug(
                "agentcop: %s: standard %s: %s", tool, name, shorten(escape(text.decode(errors="replace")), _SHOWN)
            )
