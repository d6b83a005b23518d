"""The span store: every span that was received, found by its trace, in segments open and sealed."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from agentcop_detectors.normalise import frames
from agentcop_detectors.segments.names import frames_in, sealed_name, sealed_paths, segment_paths
from agentcop_detectors.segments.sealed import opened, write_sealed
from agentcop_detectors.segments.tail import BEGINNING, Position

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_detectors.receive.tokens import Tokens
    from agentcop_detectors.segments.frame import Frame
    from agentcop_detectors.segments.sealed import Footer
    from agentcop_detectors.step import Step

_log = logging.getLogger("agentcop")

NS: Final = 1_000_000_000
"""Nanoseconds of a second."""


class Found(NamedTuple):
    """A step, and when it was received, in seconds since the epoch, by our clock."""

    received: float
    step: Step


class SpanStore:
    """A folder of segments, open and sealed. One thread an instance; any number of processes may read.

    One process alone seals and deletes (`seal`, `delete_before`, `forget`): the scorer's.
    """

    def __init__(self, folder: Path, *, tokens: Tokens | None = None) -> None:
        """Opens nothing. `tokens`: spans whose sender may not speak for their agent are passed over, as in scoring."""
        self._folder = folder
        self._tokens = tokens
        self._open: dict[int, _OpenIndex] = {}
        self.damaged = 0
        """Sealed segments that could not be read when they were asked."""

    def trace(self, trace_id: bytes, *, since: Position = BEGINNING, last: int | None = None) -> list[Step]:
        """The steps of a trace, each once, in the order of their start. Raises OSError.

        From all segments there are; or, as its run's row has them, from the one of `since` to number `last`.
        """
        steps: dict[bytes, Step] = {}
        for found in self.found(trace_id, since=since, last=last):
            steps.setdefault(found.step.span_id, found.step)
        return sorted(steps.values(), key=lambda step: step.start)

    def found(
        self, trace_id: bytes, *, since: Position = BEGINNING, before: Position | None = None, last: int | None = None
    ) -> Iterator[Found]:
        """The steps of a trace as they came, duplicates and all, from frames in `since` ≤ position < `before`.

        `last`: the segment behind which there are none.
        """
        if before is not None:
            last = before.segment if last is None else min(last, before.segment)
        # In this order: what is sealed between the two is seen in one form at least.
        there = {number: path for number, path in segment_paths(self._folder) if number >= since.segment}
        sealed = {number: path for number, path in sealed_paths(self._folder) if number >= since.segment}
        self._open = {number: index for number, index in self._open.items() if number in there}
        for number in sorted(sealed.keys() | there.keys()):
            if last is not None and number > last:
                return
            if number in sealed:
                yield from self._in_sealed(sealed[number], trace_id)
                continue
            index = self._open.get(number)
            if index is None:
                index = self._open[number] = _OpenIndex(there[number])
            try:
                for offset, frame in index.frames_of(trace_id):
                    if since <= Position(number, offset) and (before is None or Position(number, offset) < before):
                        yield from self._steps(frame, trace_id)
            except FileNotFoundError:  # it was sealed, or its time was over, meanwhile
                yield from self._in_sealed(self._sealed_path(number), trace_id)

    def seal(self, before: Position) -> Footer | None:
        """Seal the oldest segment that lies wholly before a position and is not written to; None: there is none.

        Blocks for as long as reading one segment takes. A kill at any moment leaves the segment in one form or both,
        never in none. Raises OSError.
        """
        there = segment_paths(self._folder)
        sealed = dict(sealed_paths(self._folder))
        for number, path in there[:-1]:
            if number >= before.segment:
                return None
            if number in sealed:  # killed between the two
                path.unlink(missing_ok=True)
                continue
            received = (frame for _, _, frame in frames_in(path))
            footer = write_sealed(self._sealed_path(number), received, frames.trace_ids)
            path.unlink()
            self._open.pop(number, None)
            return footer
        return None

    def delete_before(self, when: float) -> int:
        """Delete the sealed segments whose last frame was received before `when`; how many. Raises OSError."""
        deleted = 0
        for _, path in sealed_paths(self._folder):
            try:
                with opened(path) as sealed:
                    old = sealed.footer.newest < when * NS
            except OSError:
                old = path.stat().st_mtime < when  # damaged: its own time is what there is
            if old:
                path.unlink(missing_ok=True)
                deleted += 1
        return deleted

    def forget(self, traces: set[bytes], last: int) -> None:
        """Write the sealed segments up to number `last` anew without some traces.

        Frames of which nothing is left, or which cannot be read, go as a whole. Blocks long. Raises OSError.
        """
        for number, path in sealed_paths(self._folder):
            if number > last:
                break
            try:
                with opened(path) as sealed:
                    if not any(sealed.blocks_of(trace_id) for trace_id in traces):
                        continue
                    kept = (frames.without(frame, traces) for frame in sealed.all_frames())
                    write_sealed(path, (frame for frame in kept if frame is not None), frames.trace_ids)
            except FileNotFoundError:
                continue

    def _sealed_path(self, number: int) -> Path:
        return self._folder / sealed_name(number)

    def _in_sealed(self, path: Path, trace_id: bytes) -> Iterator[Found]:
        try:
            with opened(path) as sealed:
                for block in sealed.blocks_of(trace_id):
                    for frame in sealed.frames_of(block):
                        yield from self._steps(frame, trace_id)
        except FileNotFoundError:
            return  # its time was over meanwhile
        except OSError:
            self.damaged += 1
            _log.exception("agentcop: %s cannot be read: its spans are missing", path)

    def _steps(self, frame: Frame, trace_id: bytes) -> Iterator[Found]:
        if trace_id in frames.trace_ids(frame):
            counts: Counter[frames.Counted] = Counter()
            for step in frames.steps_of(frame, self._tokens, counts):
                if step.trace_id == trace_id:
                    yield Found(frame.received / NS, step)


class _OpenIndex:
    """Which frames of an open segment hold a trace: built as far as the segment goes, and on from there next time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._end = 0
        self._where: dict[bytes, list[int]] = {}

    def frames_of(self, trace_id: bytes) -> list[tuple[int, Frame]]:
        """The frames with their offsets. Raises OSError, FileNotFoundError where the segment is gone."""
        for offset, end, frame in frames_in(self._path, self._end):
            self._end = end
            for each in frames.trace_ids(frame):
                self._where.setdefault(each, []).append(offset)
        return [(offset, next(frames_in(self._path, offset))[2]) for offset in self._where.get(trace_id, ())]
