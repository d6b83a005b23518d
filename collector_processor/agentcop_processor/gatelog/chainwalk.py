"""One writer's chain, followed line by line until it first breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcop_processor.gatelog.chain import line_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_processor.gatelog.lines import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The first place where something is wrong with a chain, or with the files."""

    where: str
    """`file:line`, or a file's name; "" for what is not there at all."""
    writer: str
    """Whose chain; "" for what belongs to none."""
    seq: int | None
    """The line's number in its chain, where it has one."""
    why: str
    """What was found, as the end of a sentence that begins with `where`."""


class ChainWalk:
    """Follows one chain. Mutable and small: a log may hold a hundred thousand of them. Not thread-safe."""

    __slots__ = ("_hash", "_suspect", "_where", "broken", "first", "last", "lines", "witnessed", "writer")

    def __init__(self, writer: str) -> None:
        """Before its first line."""
        self.writer = writer
        self.first = -1
        """Number of the first line seen: 0, unless rotation or somebody removed the beginning."""
        self.last = -1
        """Highest number seen."""
        self.lines = 0
        self.witnessed = -1
        """Highest number whose hash a witness confirmed; -1 for none."""
        self.broken: Break | None = None
        self._hash = ""
        self._where = ""
        self._suspect: Break | None = None

    def take(self, line: Line, witnesses: Mapping[int, str]) -> None:
        """The chain's next line, in the order of the files. `witnesses`: hash by line number."""
        record, seq = line.record, line.seq
        own_hash = line_hash(line.data)
        links = record.get("prev", "") == self._hash and (seq == self.last + 1 or not self.lines)
        if self._suspect is not None:
            # The line before disagreed with the one before it. If this one agrees with it, its content was not touched.
            self._breaks(self._suspect if links else self._at(self._where, self.last, "was changed"))
        witness = witnesses.get(seq)
        if witness == own_hash:
            self.witnessed = max(self.witnessed, seq)
        elif witness is not None:
            self._breaks(
                self._at(line.where, seq, "is not the line that was witnessed: it, or a line before it, was changed")
            )
        if not self.lines:
            self.first = seq
            if seq == 0 and (record.get("kind") != "start" or "prev" in record):
                self._breaks(self._at(line.where, seq, "is not how a chain begins"))
        elif not links:
            self._disagrees(line, seq)
        self.lines += 1
        self.last, self._hash, self._where = max(self.last, seq), own_hash, line.where

    def end(self) -> None:
        """No line follows."""
        if self._suspect is not None:
            self._breaks(self._suspect)

    def ends_before(self, seq: int) -> None:
        """Somebody saw line `seq`, and the chain does not reach it."""
        self._breaks(self._at(self._where, self.last, f"is the chain's last line, but line {seq} was witnessed"))

    def continued_from(self, seq: int, expected: str, where: str) -> None:
        """The line at `where` begins a writer that goes on from line `seq` of this chain, with that hash."""
        if seq == self.last and expected != self._hash:
            self._breaks(self._at(self._where, seq, f"was changed: it is not the line that {where} goes on from"))

    def lost_beginning(self) -> None:
        """The chain's beginning is missing, and rotation cannot be why."""
        self._breaks(self._at(self._where, self.first, f"is in a chain whose lines 0 to {self.first - 1} are missing"))

    def _disagrees(self, line: Line, seq: int) -> None:
        if seq > self.last + 1:
            why = f"follows {self._where}, but lines {self.last + 1} to {seq - 1} of the chain are missing"
            self._breaks(self._at(line.where, seq, why))
        elif seq <= self.last:
            why = f"is line {seq} after line {self.last} ({self._where}): repeated, swapped or inserted"
            self._breaks(self._at(line.where, seq, why))
        elif self.broken is None:
            self._suspect = self._at(
                self._where, self.last, f"was changed: it is not the line that {line.where} follows"
            )

    def _at(self, where: str, seq: int, why: str) -> Break:
        return Break(where=where, writer=self.writer, seq=seq, why=why)

    def _breaks(self, found: Break) -> None:
        self._suspect = None
        if self.broken is None:
            self.broken = found
