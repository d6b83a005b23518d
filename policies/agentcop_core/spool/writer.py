"""The writing end: each process appends to segments of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from typing import TYPE_CHECKING, Final

from agentcop_core.filelock import try_lock
from agentcop_core.home import make_private
from agentcop_core.spool.dropped import DroppedRecord
from agentcop_core.spool.segments import NO_FOLLOW, OPEN, SEALED, adopt, count_spans, segments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOCAL: Final = "local"
"""The `bound for` of spans that have no endpoint: the detector of this machine is meant."""
MAX_BYTES: Final = 256 * 1024 * 1024
"""Default bound of the whole folder."""
SEGMENT_BYTES: Final = 4 * 1024 * 1024
"""Default size at which a segment is sealed."""


class SpoolWriter:
    """Appends lines to a segment of its own. One thread at a time; blocks on the disk; raises only OSError.

    The folder holds at most `max_bytes`, and at most one segment more for each process that is writing: when a new
    segment would pass that, the oldest finished ones are deleted and their spans counted in `dropped`.
    """

    def __init__(  # noqa: PLR0913 -- two limits and two sources of names, all with defaults
        self,
        folder: Path,
        *,
        bound_for: str = LOCAL,
        max_bytes: int = MAX_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
        now_ns: Callable[[], int] = time.time_ns,
        token: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> None:
        """`bound_for`: letters and digits. Nothing is created before the first line."""
        self.folder = folder
        self.bound_for = bound_for
        self.dropped = DroppedRecord(folder, now=lambda: now_ns() / 1e9)
        self._max_bytes = max_bytes
        self._segment_bytes = max(1, min(segment_bytes, max_bytes // 4))
        self._now_ns = now_ns
        self._token = token
        self._descriptor = -1
        self._path = folder
        self._size = 0

    def append(self, line: bytes) -> bool:
        """Store one request (no newline in it). False when there is no room even after deleting the oldest."""
        if len(line) >= self._max_bytes // 2:
            return False
        if self._descriptor >= 0 and (self._size + len(line) > self._segment_bytes or not self._still_there()):
            self.seal()
        if self._descriptor < 0 and not self._open(len(line)):
            return False
        data = line + b"\n"
        written = os.write(self._descriptor, data)
        if written != len(data):
            os.ftruncate(self._descriptor, self._size)
            raise OSError(f"the spool in {self.folder} took only {written} of {len(data)} bytes: is the disk full?")
        self._size += written
        return True

    def seal(self) -> None:
        """Finish the segment, so that it can be replayed; a later line opens a new one."""
        if self._descriptor < 0:
            return
        os.close(self._descriptor)
        self._descriptor = -1
        # A reader may have taken it for dead in between and renamed it already.
        with contextlib.suppress(FileNotFoundError):
            if self._size:
                self._path.rename(self._path.with_suffix(SEALED))
            else:
                self._path.unlink()

    def abandon(self) -> None:
        """In a forked child: forget the parent's segment and leave it to the parent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
        self.dropped.forget()

    def _still_there(self) -> bool:
        """Whether the segment is still in the folder: a state folder that was wiped must not swallow what follows."""
        try:
            return self._path.stat().st_ino == os.fstat(self._descriptor).st_ino
        except FileNotFoundError:
            return False

    def _open(self, need: int) -> bool:
        make_private(self.folder)
        if not self._make_room(max(need, self._segment_bytes)):
            return False
        stem = f"{self._now_ns():020d}-{os.getpid()}-{self._token()}-{self.bound_for}"
        self._path = self.folder / f"{stem}{OPEN}"
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | NO_FOLLOW, 0o600)
        try_lock(self._descriptor)
        self._size = 0
        return True

    def _make_room(self, need: int) -> bool:
        there = segments(self.folder)
        total = need + sum(segment.size for segment in there)
        for segment in there:
            if total <= self._max_bytes:
                break
            finished = adopt(segment)
            if finished is None:
                continue
            # Another writer that needs room, or a reader, may delete it first: then it is theirs to count.
            with contextlib.suppress(FileNotFoundError):
                spans = count_spans(finished.path.read_bytes())
                finished.path.unlink()
                self.dropped.add("room", spans)
            total -= segment.size
        return total <= self._max_bytes
