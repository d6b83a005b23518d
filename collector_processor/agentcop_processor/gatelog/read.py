"""Reading gate.log as a person asks for it: filtered, oldest first, and on as it grows.

entries = Entries(folder, Filter(blocked=True))
for line in entries: ...
entries.unreadable          # how many lines were none, and `entries.first_unreadable` where
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agentcop_processor.gatelog.lines import Line, has_log, read_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Entries", "Filter", "Line", "has_log"]

_MAX_OPEN = 64
"""Calls whose decision is kept in case it is refused later: each may be as long as a line can be."""

RAN = frozenset({"ok", "error"})
"""Values of `outcome` that say that the tool's body ran; all others say why it did not, newer ones too."""

REFUSED = frozenset({"approval_refused", "changed", "sandbox_refused"})
"""Values of `outcome` that say that the gate refused the call after all, though a verdict had let it pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which lines are asked for; every condition that is set must hold. Lines that are no call pass only if none is."""

    blocked: bool = False
    """Calls whose verdict was block (under `mode: observe` too), held ones that were refused in the end, and those that
    asked for a place that their box must not reach."""
    tool: str = ""
    session: str = ""
    agent: str = ""
    since: float | None = None
    """Seconds since the epoch; lines older than this are left out, whatever they are."""

    def test(self) -> Callable[[Line], bool]:
        """All conditions but `blocked` as a function on lines that are records."""
        wanted = tuple((key, value) for key in ("tool", "session", "agent") if (value := getattr(self, key)))
        since = "" if self.since is None else datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

        def passes(line: Line) -> bool:
            get = line.record.get
            # RFC 3339 of one length and zone sorts as time does.
            return str(get("t")) >= since and all(get(key) == value for key, value in wanted)

        return passes


class Entries:
    """The lines that a filter lets through, streamed. Iterate once; raises OSError where a file cannot be read."""

    def __init__(self, folder: Path, asked: Filter, more: Callable[[], bool] | None = None) -> None:
        """`more` is asked at the end: True to look for new lines, after waiting as it sees fit; None means no."""
        self._lines = read_lines(folder, more)
        self._passes = asked.test()
        self._blocked = asked.blocked
        self.unreadable = 0
        """Lines met so far that are no lines of gate.log: torn by a crash, or put there by somebody."""
        self.first_unreadable = ""
        """`file:line` of the first of them."""

    def __iter__(self) -> Iterator[Line]:
        """The lines, oldest file first."""
        return _refused(self._asked()) if self._blocked else self._asked()

    def _asked(self) -> Iterator[Line]:
        for line in self._lines:
            if line.kind != "record":
                self.unreadable += 1
                self.first_unreadable = self.first_unreadable or line.where
            elif self._passes(line):
                yield line


def _refused(lines: Iterator[Line]) -> Iterator[Line]:
    """Blocking decisions as they come, with their outcomes; other decisions only with an outcome that refused them."""
    open_calls: dict[str, Line | None] = {}  # None: its decision was shown
    for line in lines:
        get = line.record.get
        if get("kind") == "outcome":
            named = str(get("of", "")).rpartition(":")[0]
            decision = open_calls.pop(named, line)
            stopped = get("outcome") not in RAN or bool(get("egress_refused"))
            if decision is not None and decision is not line and stopped:
                yield decision
            if decision is None or stopped:
                yield line
            continue
        blocks = get("verdict") == "block"
        if blocks:
            yield line
        open_calls[f"{get('w')}:{line.seq}"] = None if blocks else line
        if len(open_calls) > _MAX_OPEN:
            del open_calls[next(iter(open_calls))]
