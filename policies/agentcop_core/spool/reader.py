"""The reading end: one consumer at a time, oldest first."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from agentcop_core.filelock import try_lock
from agentcop_core.spool.segments import NEW, NO_FOLLOW, OPEN, SEALED, adopt, replace_file, segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from agentcop_core.spool.segments import Segment


class SpoolLine(NamedTuple):
    """One line of a segment."""

    segment: str
    offset: int
    """Where it begins, in bytes."""
    end: int
    """Where the next one begins: the position to keep once this line is dealt with."""
    data: bytes
    """The request, without its newline."""


def has_reader(folder: Path) -> bool:
    """Whether a process is the spool's consumer at this moment. Changes nothing; raises OSError but for absence."""
    try:
        descriptor = os.open(folder / "reader.lock", os.O_RDWR | NO_FOLLOW)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


class SpoolReader:
    """Hands out the spool's lines, oldest segment first. One thread at a time; raises only OSError.

    `acquire` first; then deal with each of `lines`; then `ack` each of `finished`. A line counts as dealt with when
    the next one is asked for: leaving the loop early gives the same line again.
    """

    def __init__(
        self, folder: Path, *, bound_for: str | None = None, positions: Mapping[str, int] | None = None
    ) -> None:
        """`bound_for` None: everything. `positions`: where an earlier reader stopped, as `positions` gave it."""
        self._folder = folder
        self._bound_for = bound_for
        self._positions = dict(positions or {})
        self._finished: dict[str, Path] = {}
        self._lock = -1
        self.torn = 0
        """Half lines found at the ends of segments whose writer died."""

    @property
    def positions(self) -> dict[str, int]:
        """How far each segment was read, to be stored with what was made of it."""
        return dict(self._positions)

    @property
    def finished(self) -> tuple[str, ...]:
        """Segments read to their end that nobody writes any more: `ack` them."""
        return tuple(self._finished)

    def acquire(self) -> bool:
        """Become the spool's one consumer; False while another is, or while there is no spool. Never blocks."""
        if self._lock >= 0:
            return True
        try:
            descriptor = os.open(self._folder / "reader.lock", os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o600)
        except FileNotFoundError:
            return False
        if not try_lock(descriptor):
            os.close(descriptor)
            return False
        self._lock = descriptor
        for orphan in self._folder.glob(f"*-*{NEW}"):
            orphan.unlink(missing_ok=True)
        return True

    def release(self) -> None:
        """Let another consumer in. In a forked child too: the parent stays the consumer."""
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1

    def waiting(self) -> bool:
        """Whether a finished segment lies there, so that `lines()` would have something."""
        return any(adopt(segment) for segment in segments(self._folder, self._bound_for))

    def lines(self, *, live: bool = False) -> Iterator[SpoolLine]:
        """The lines not handed out yet. `live`: also the complete ones of segments still being written."""
        there = segments(self._folder, self._bound_for)
        self._forget_all_but({segment.stem for segment in there})
        for segment in there:
            finished = adopt(segment)
            if segment.stem not in self._finished and (finished or live):
                yield from self._lines_of(finished or segment, finished=finished is not None)

    def _forget_all_but(self, there: set[str]) -> None:
        """Forget the positions of segments that others deleted.

        Not being in a list says nothing: a segment that is renamed meanwhile can be missing from it under both names.
        """
        for stem in [stem for stem in self._positions if stem not in there]:
            path = self._folder / f"{stem}{OPEN}"
            if not path.exists() and not path.with_suffix(SEALED).exists():
                del self._positions[stem]

    def _lines_of(self, segment: Segment, *, finished: bool) -> Iterator[SpoolLine]:
        offset = self._positions.get(segment.stem, 0)
        try:
            descriptor = os.open(segment.path, os.O_RDONLY | NO_FOLLOW)
        except FileNotFoundError:
            return
        with os.fdopen(descriptor, "rb") as file:
            file.seek(offset)
            for raw in file:
                if not raw.endswith(b"\n"):
                    self.torn += finished
                    break
                end = offset + len(raw)
                if len(raw) > 1:
                    yield SpoolLine(segment.stem, offset, end, raw[:-1])
                offset = self._positions[segment.stem] = end
        if finished:
            self._finished[segment.stem] = segment.path

    def ack(self, segment: str) -> None:
        """Delete a finished segment: all its lines are somewhere safe."""
        path = self._finished.pop(segment)
        self._positions.pop(segment, None)
        path.unlink(missing_ok=True)

    def keep_from(self, segment: str, offset: int) -> None:
        """Cut off a sealed segment's beginning, which is dealt with, and leave the rest to whoever reads next."""
        self._positions.pop(segment, None)
        path = self._folder / f"{segment}{SEALED}"
        with contextlib.suppress(FileNotFoundError):
            if offset:
                with path.open("rb") as file:
                    file.seek(offset)
                    rest = file.read()
                replace_file(path, rest)
