"""Tell whether every chain of gate.log is whole, and reaches as far as others saw it.

Without witnesses it finds any edit, drop or swap of a line that is not followed by re-hashing the rest of the chain,
except in a chain's last line. With heads that travelled on spans it finds truncation and re-hashing as well.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from agentcop_processor.gatelog.chain import LOCK_NAME, parse_head, writer_started
from agentcop_processor.gatelog.chainwalk import Break, ChainWalk
from agentcop_processor.gatelog.heads import Heads
from agentcop_processor.gatelog.lines import LogPart, lines_of, open_log
from agentcop_processor.gatelog.logfile import rotated_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_processor.gatelog.lines import Line

__all__ = ["Break", "ChainWalk", "Report", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check of gate.log found."""

    files: tuple[str, ...]
    """Oldest first."""
    lines: int
    chains: tuple[ChainWalk, ...]
    """In the order of their first lines; each with its first break, if it has one."""
    breaks: tuple[Break, ...]
    """The first break of each chain, and what is wrong with the files."""
    notes: tuple[str, ...]
    """What the check could not tell, one sentence each."""
    unchecked: int
    """Lines of more writers than are followed at once."""

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong, as far as could be told."""
        return not self.breaks


def verify(folder: Path, heads: Heads | None = None, *, files: int = 10, max_writers: int = 100_000) -> Report:
    """Check every chain of the log in `folder`; of bounded memory, whatever stands in the files. Raises OSError.

    `heads` must have been read before: a line written since is no sign of anything. `files`: how many rotation keeps;
    only if the oldest of them is there may a chain begin in the middle.
    """
    with ExitStack() as stack:
        parts = open_log(folder, stack)
        if _gaps(parts):
            parts = open_log(folder, stack)  # a rotation that was under way is over by now
        rotating = _rotating(folder)
        check = _Check(parts, heads, files=files, max_writers=max_writers)
        for part in parts:
            for line in lines_of(part):
                check.take(line)
    return check.report(rotating=rotating)


class _Check:
    """One run of `verify`."""

    def __init__(self, parts: list[LogPart], heads: Heads | None, *, files: int, max_writers: int) -> None:
        self._files = tuple(part.name for part in parts)
        self._gaps = _gaps(parts)
        self._rotated_away = any(part.age >= files - 1 for part in parts)
        self._heads = heads
        self._max_writers = max_writers
        self._walks: dict[str, ChainWalk] = {}
        self._parents = Heads()
        self._oldest: float | None = None
        self._lines = self._unchecked = self._torn = self._foreign = 0
        self._first_foreign = ""

    def take(self, line: Line) -> None:
        """The next line, whosever it is."""
        if line.kind == "torn":
            self._torn += 1
        elif line.kind == "foreign":
            self._foreign += 1
            self._first_foreign = self._first_foreign or line.where
        else:
            self._lines += 1
            if self._lines == 1:
                self._oldest = _seconds(str(line.record["t"]))
            self._record(line, str(line.record["w"]))

    def _record(self, line: Line, writer: str) -> None:
        walk = self._walks.get(writer)
        if walk is None:
            if len(self._walks) >= self._max_writers:
                self._unchecked += 1
                return
            walk = self._walks[writer] = ChainWalk(writer)
        walk.take(line, self._heads.of(writer) if self._heads else {})
        if walk.lines == 1 and walk.first > 0 and not self._rotated_away:
            walk.lost_beginning()
        if line.record.get("kind") == "start" and (parent := parse_head(str(line.record.get("from", "")))):
            self._parents.add(parent)
            if parent.writer in self._walks:
                self._walks[parent.writer].continued_from(parent.seq, parent.hash, line.where)

    def report(self, *, rotating: bool) -> Report:
        """What was found. `rotating`: a rotation is under way or was cut short."""
        for walk in self._walks.values():
            walk.end()
        breaks = [*self._foreign_lines(), *self._missing(self._parents)]
        notes = list(self._notes())
        if self._gaps and rotating:
            notes.append(f"{rotated_name(self._gaps[0])} is missing: a rotation is under way, or its process died")
        else:
            why = "is missing, though older files are there"
            breaks += [Break(where=rotated_name(index), writer="", seq=None, why=why) for index in self._gaps]
        if self._heads is not None:
            breaks += self._missing(self._heads)
            breaks += [Break(where="", writer="", seq=None, why=why) for why in self._heads.contradictions[:10]]
        breaks += [walk.broken for walk in self._walks.values() if walk.broken is not None]
        return Report(
            files=self._files,
            lines=self._lines,
            chains=tuple(self._walks.values()),
            breaks=tuple(breaks),
            notes=tuple(notes),
            unchecked=self._unchecked,
        )

    def _foreign_lines(self) -> Iterator[Break]:
        if self._foreign:
            more = f" ({self._foreign - 1:,} more like it)" if self._foreign > 1 else ""
            why = f"is not a line that AgentCop writes{more}"
            yield Break(where=self._first_foreign, writer="", seq=None, why=why)

    def _missing(self, heads: Heads) -> Iterator[Break]:
        """Chains that are shorter than somebody saw them, or not there at all."""
        for writer in heads.writers():
            latest = max(heads.of(writer))
            walk = self._walks.get(writer)
            if walk is not None:
                if latest > walk.last:
                    walk.ends_before(latest)
            elif not self._unchecked and not self._may_be_rotated_away(writer):
                yield Break(where="", writer=writer, seq=latest, why="the chain is missing, though it was witnessed")

    def _may_be_rotated_away(self, writer: str) -> bool:
        started = writer_started(writer)
        return self._rotated_away and (started is None or self._oldest is None or started <= self._oldest)

    def _notes(self) -> Iterator[str]:
        walks = self._walks.values()
        if self._heads is None:
            yield "tail not witnessed: a chain's last lines could be changed or cut unseen; compare with --heads"
        else:
            behind = sum(walk.witnessed < walk.last for walk in walks)
            if behind:
                yield f"tail not witnessed in {behind:,} of {len(walks):,} chains: they go on after the last head given"
            gone = sum(
                writer not in self._walks and self._may_be_rotated_away(writer) for writer in self._heads.writers()
            )
            if gone:
                yield f"{gone:,} witnessed chains are not here: rotation may have removed them with the oldest file"
        continued = sum(walk.first > 0 for walk in walks) if self._rotated_away else 0
        if continued:
            yield f"{continued:,} chains continue from before the kept files, which rotation has removed"
        if self._torn:
            yield f"{self._torn:,} torn lines: a process died, or the disk was full, while they were written"
        if self._unchecked:
            yield f"{self._unchecked:,} lines were not checked: more than {self._max_writers:,} writers"


def _gaps(parts: list[LogPart]) -> list[int]:
    ages = {part.age for part in parts}
    return [age for age in range(max(ages, default=0)) if age not in ages]


def _rotating(folder: Path) -> bool:
    try:
        return (folder / LOCK_NAME).stat().st_size > 0
    except OSError:
        return False


def _seconds(stamp: str) -> float | None:
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return None
