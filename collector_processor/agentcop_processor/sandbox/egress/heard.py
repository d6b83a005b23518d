"""What one box asked for on its way out since somebody last looked: within bounds, the rest counted."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from agentcop_core.escape import escape, shorten
from agentcop_core.locks import safe_lock
from agentcop_core.redact import Redactor

_redactor: Final = Redactor()
_LISTED: Final = 16
"""Places of each kind."""
_SHOWN: Final = 253
"""Characters of a place: as many as a name may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A place that was asked for, in the tool's own words: redacted and escaped."""

    place: str
    why: str
    """The rule that refused it; "" where it was reached."""
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was asked for, in the order of the first time."""

    refused: tuple[Asked, ...] = ()
    reached: tuple[Asked, ...] = ()
    unlisted: int = 0
    """Requests for other places, of both kinds: those lists hold 16 places each."""


class Hearing:
    """Keeps it. Written by the proxy's thread, read by any."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._lock = safe_lock()
        self._asked: dict[bool, dict[tuple[str, str], int]] = {True: {}, False: {}}
        self._unlisted = 0

    def note(self, where: str, why: str) -> None:
        """One request, for `where`; `why` it was refused, or "". Bounded, whatever the tool asks for."""
        key = (where[: _SHOWN * 4], why)
        with self._lock:
            listed = self._asked[bool(why)]
            if key in listed or len(listed) < _LISTED:
                listed[key] = listed.get(key, 0) + 1
            else:
                self._unlisted += 1

    def taken(self) -> Heard:
        """What was noted since this was last asked."""
        with self._lock:
            asked, self._asked = self._asked, {True: {}, False: {}}
            unlisted, self._unlisted = self._unlisted, 0
        refused, reached = (_shown(asked[kind]) for kind in (True, False))
        return Heard(refused=refused, reached=reached, unlisted=unlisted)


HEARING: ContextVar[Hearing | None] = ContextVar("agentcop_egress_hearing", default=None)
"""Whose connection is being served: each has a context of its own."""


def shown(where: str) -> str:
    """`where` as it may stand in a log and on a terminal."""
    return shorten(escape(_redactor.redact_text(where[: _SHOWN * 4])), _SHOWN) or "(nothing)"


def _shown(asked: dict[tuple[str, str], int]) -> tuple[Asked, ...]:
    return tuple(Asked(place=shown(where), why=escape(why), times=times) for (where, why), times in asked.items())
