"""Which calls on their way to a server are those that a tool above was judged for."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentcop_core.locks import safe_lock
from agentcop_core.names import canonical_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentcop_core.toolcall import ToolCall

_log = logging.getLogger("agentcop")

REMOTE: dict[str, Callable[[Any], str]] = {}
"""Way of a tool whose calls are passed on to a server, to what reads from the tool what it is called there."""

_lock = safe_lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """A call on its way to a server."""

    again: bool = False
    """Whether it goes on with a request that the server has left open."""


class Crossing:
    """Whether one judged call has gone over to its server: once, unless that failed. Thread-safe."""

    __slots__ = ("_arrived", "_under_way")

    def __init__(self) -> None:
        """It has not."""
        self._under_way = False
        self._arrived = False

    def begin(self, transport: Transport) -> bool:
        """Whether it may go over now; if so it is under way until `end`."""
        with _lock:
            if self._under_way or (self._arrived and not transport.again):
                return False
            self._under_way = True
            return True

    def end(self, *, arrived: bool) -> None:
        """It has gone over, or nobody knows: then it may be tried again."""
        self._arrived, self._under_way = arrived, False


def stands_for(judged: ToolCall, owner: object, ways: Iterable[str], call: ToolCall) -> bool:
    """Whether `call` is `judged` at its server: the same arguments, and a name that is exactly its own there.

    That is the judged call's name, or what its tool (`owner`, called by `ways`) declares it to be called at its
    server. Anything less exact could be forged; live objects may differ though they look alike.
    """
    if not call.digest or call.arguments.opaque or call.arguments.canonical != judged.arguments.canonical:
        return False
    return call.tool == judged.tool or call.tool in _declared(judged, owner, ways)


def _declared(judged: ToolCall, owner: object, ways: Iterable[str]) -> list[str]:
    try:
        declared = (REMOTE[way](owner) for way in ways if way in REMOTE)
        return [canonical_name(name) for name in declared if name]
    except Exception:
        _log.exception("agentcop: what %s is called at its server could not be read", judged.tool)
        return []
