"""The reading end of the segment log: every frame once, in order, from a position on, while it is being written."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from agentcop_detectors.segments.frame import Torn, decode
from agentcop_detectors.segments.names import sealed_name, sealed_paths, segment_name, segment_paths
from agentcop_detectors.segments.sealed import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_detectors.segments.frame import Frame

_CHUNK: Final = 4 * 1024 * 1024


class Position(NamedTuple):
    """Where a frame begins; ordered as the frames are."""

    segment: int
    offset: int


BEGINNING: Final = Position(0, 0)
"""Before the first frame there is."""


class Tail:
    """Reads a folder of segments from `start` on. One thread; never writes."""

    def __init__(self, folder: Path, start: Position = BEGINNING) -> None:
        """Opens nothing. `start`: the first frame to give; a segment that is gone meanwhile is passed over."""
        self._folder = folder
        self._at = start
        self._descriptor = -1
        self._open_segment = -1
        self.skipped = 0
        """Segments that were gone before they were read: their frames are lost to this reader."""

    @property
    def position(self) -> Position:
        """Where the next frame will begin."""
        return self._at

    def frames(self, limit: int = 1_000) -> Iterator[tuple[Position, Frame]]:
        """The frames that are there now, at most `limit`, each with its position. Raises OSError."""
        given = 0
        while given < limit:
            path = self._sealed()
            part = self._written(limit - given) if path is None else islice(self._read_sealed(path), limit - given)
            for found in part:
                given += 1
                yield found
            if (
                given >= limit
                or (path is None and self._sealed() is None)
                or (path is not None and not self._advance())
            ):
                return

    def _written(self, limit: int) -> Iterator[tuple[Position, Frame]]:
        """Those of the segment that is open, and of open ones behind it."""
        given = 0
        final = False
        while given < limit:
            if self._open_segment != self._at.segment and not self._open():
                return
            before = given
            for frame, length in self._read(limit - given):
                position, self._at = self._at, Position(self._at.segment, self._at.offset + length)
                given += 1
                yield position, frame
            if given > before:
                continue
            if not final:
                # The last frame may have come between our look at this segment and our look for the next.
                final = self._next() is not None
                if not final:
                    return
                continue
            final = False
            if not self._advance():
                return

    def close(self) -> None:
        """Let the file go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = self._open_segment = -1

    def _sealed(self) -> Path | None:
        """The position's segment, where it is there in sealed form alone.

        Nobody seals what a reader still needs. But the database may be older than the segments: a machine that lost
        power, a backup that was played back.
        """
        if self._open_segment == self._at.segment or (self._folder / segment_name(self._at.segment)).exists():
            return None
        path = self._folder / sealed_name(self._at.segment)
        return path if path.exists() else None

    def _read_sealed(self, path: Path) -> Iterator[tuple[Position, Frame]]:
        number = self._at.segment
        with opened(path) as sealed:
            for offset, end, frame in sealed.frames_from(self._at.offset):
                self._at = Position(number, end)
                yield Position(number, offset), frame

    def _read(self, limit: int) -> Iterator[tuple[Frame, int]]:
        """The whole frames from the position on, of a chunk, or the one that is larger than a chunk."""
        data = os.pread(self._descriptor, _CHUNK, self._at.offset)
        found = list(_whole(data, limit))
        if not found and data:
            size = os.fstat(self._descriptor).st_size - self._at.offset
            if size > len(data):
                found = list(_whole(os.pread(self._descriptor, size, self._at.offset), 1))
        return iter(found)

    def _open(self) -> bool:
        """Open the segment of the position, or the first one after it."""
        self.close()
        try:
            self._descriptor = os.open(
                self._folder / segment_name(self._at.segment), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            )
        except FileNotFoundError:
            return self._sealed() is None and self._advance() and self._open()
        self._open_segment = self._at.segment
        return True

    def _next(self) -> int | None:
        """The segment after this one, if there is one: nobody writes this one any more then."""
        there = (*segment_paths(self._folder), *sealed_paths(self._folder))
        return min((number for number, _ in there if number > self._at.segment), default=None)

    def _advance(self) -> bool:
        """Go on to the next segment, if there is one; what is behind the last whole frame of this one is torn."""
        number = self._next()
        if number is None:
            return False
        if self._at.segment:
            self.skipped += number - self._at.segment - 1
        self._at = Position(number, 0)
        return True


def _whole(data: bytes, limit: int) -> Iterator[tuple[Frame, int]]:
    with memoryview(data) as view:
        at = 0
        for _ in range(limit):
            try:
                with view[at:] as rest:
                    frame, length = decode(rest)
            except Torn:
                return
            at += length
            yield frame, length
