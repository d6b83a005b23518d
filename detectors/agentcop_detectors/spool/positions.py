"""How far the spool was read, so that nothing is taken twice where the front was killed between two files.

A frame out of the spool carries where it came from in its source, `spool:SEGMENT:END`. The file of positions says how
far each spool segment was read, and up to where the segment log was then; what stands behind that in the log itself is
read again at the start.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from agentcop_detectors.receive.tokens import SPOOL
from agentcop_detectors.segments.tail import BEGINNING, Position, Tail

if TYPE_CHECKING:
    from pathlib import Path

_FRAMES: Final = 1_000


def source_of(segment: str, end: int) -> str:
    """The source of a frame that is a line of the spool. `end`: where the next line begins."""
    return f"{SPOOL}{segment}:{end}"


def place_of(source: str) -> tuple[str, int] | None:
    """Segment and end, from a frame's source; None for a frame from elsewhere."""
    if not source.startswith(SPOOL):
        return None
    segment, _, end = source.removeprefix(SPOOL).rpartition(":")
    return (segment, int(end)) if segment and end.isdecimal() else None


class Read(NamedTuple):
    """What was read of the spool."""

    positions: dict[str, int]
    """Spool segment to where the next line begins."""
    log: Position
    """Where the segment log ended when that was so, at most."""


class Positions:
    """The file of positions. One thread."""

    def __init__(self, path: Path) -> None:
        """Opens nothing."""
        self._path = path

    def save(self, read: Read) -> None:
        """Keep it. Raises OSError."""
        # json, not orjson: the name of a file may be no Unicode.
        packed = json.dumps({"positions": read.positions, "segment": read.log.segment, "offset": read.log.offset})
        new = self._path.with_suffix(".new")
        new.write_text(packed, encoding="ascii")
        new.replace(self._path)

    def load(self) -> Read:
        """What was kept; nothing where there is none, or where it is damaged: doubles are told by their span ids."""
        try:
            said = json.loads(self._path.read_bytes())
            positions = {str(segment): int(end) for segment, end in said["positions"].items()}
            return Read(positions, Position(int(said["segment"]), int(said["offset"])))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Read({}, BEGINNING)


def caught_up(read: Read, segments: Path) -> Read:
    """`read`, with what stands behind it in the segment log. Reads that part of the log; raises OSError.

    To be called while nobody writes the log, and after its torn tail was cut off.
    """
    positions: dict[str, int] = dict(read.positions)
    tail = Tail(segments, read.log)
    try:
        while found := list(tail.frames(_FRAMES)):
            for _, frame in found:
                place = place_of(frame.source)
                if place is not None and place[1] > positions.get(place[0], 0):
                    positions[place[0]] = place[1]
        return Read(positions, tail.position)
    finally:
        tail.close()
