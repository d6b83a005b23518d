"""The writing end of the segment log: many callers, one thread, one `writev` for all that has come meanwhile."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from agentcop_core.filelock import try_lock
from agentcop_core.home import make_private
from agentcop_detectors.segments.frame import encode
from agentcop_detectors.segments.names import LOCK, sealed_paths, segment_name, segment_paths, sound_length
from agentcop_detectors.segments.tail import Position

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentcop_detectors.segments.frame import Frame

_log = logging.getLogger("agentcop")

SEGMENT_BYTES: Final = 64 * 1024 * 1024
SEGMENT_SECONDS: Final = 3_600.0
_IOV: Final = 512
_GROUP: Final = 4_096


class NotWritten(OSError):  # noqa: N818 -- what became of the request
    """The disk did not take it: nothing was acknowledged, and the sender must try again."""


class _Waiting(NamedTuple):
    chunks: tuple[bytes, bytes]
    size: int
    done: Callable[[NotWritten | None], None]


class SegmentLog:
    """Appends frames to numbered segments. Thread-safe; one process at a time, held by a lock file.

    A frame is acknowledged by its callback once the kernel has it (it survives the death of this process), and with
    `fsync` once the disk has it (it survives the death of the machine). A segment that failed once is never written
    again: after a failed fsync nobody knows what it holds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        segment_seconds: float = SEGMENT_SECONDS,
        fsync: bool = False,
    ) -> None:
        """Opens nothing; see `open`. `segment_seconds`: so long after it was begun a segment is followed by a new one.

        For the last one is never sealed, and what is not sealed is neither deleted when old nor cleared of an agent.
        """
        self._segment_seconds = segment_seconds
        self._begun = 0.0
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._fsync = fsync
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._bytes_waiting = 0
        self._ending = False
        self._thread: threading.Thread | None = None
        self._lock = -1
        self._descriptor = -1
        self._size = 0
        self._number = 0
        self._sizes: dict[int, int] = {}
        self.written = 0
        """Bytes that were there when it was opened, and all that were written since."""
        self.failures = 0
        self.broken = False
        """Whether the last write failed."""

    @property
    def bytes_waiting(self) -> int:
        """Bytes that were handed over and are not on disk yet."""
        return self._bytes_waiting

    @property
    def end(self) -> Position:
        """Where the next frame will begin, or a little before: everything that was acknowledged lies before it."""
        return Position(*max(self._sizes.copy().items(), default=(self._number, 0)))

    def behind(self, position: Position) -> int:
        """How many bytes lie behind a reader's position. From any thread; what the reader is past is forgotten."""
        sizes = self._sizes.copy()
        for number in sizes:
            if number < position.segment:
                self._sizes.pop(number, None)
        unread = sum(size for number, size in sizes.items() if number >= position.segment)
        return max(0, unread - position.offset if position.segment in sizes else unread)

    def open(self) -> None:
        """Take the folder for this process, cut off a torn tail, and start the writing thread. Raises OSError."""
        make_private(self._folder)
        self._lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if not try_lock(self._lock):
            os.close(self._lock)
            self._lock = -1
            raise OSError(f"{self._folder} is in use by another detector")
        there = segment_paths(self._folder)
        if there:
            self._number, path = there[-1]
            sound = sound_length(path)
            if torn := path.stat().st_size - sound:
                _log.warning("agentcop: %s ended in %d torn bytes, which nobody acknowledged; cut off", path, torn)
                os.truncate(path, sound)
        # A number is never given twice, also where all that was written is sealed by now.
        self._number = max([self._number, *(number for number, _ in sealed_paths(self._folder))])
        self._sizes = {number: path.stat().st_size for number, path in there}
        self.written = sum(self._sizes.values())
        self._thread = threading.Thread(target=self._run, name="agentcop-segments", daemon=True)
        self._thread.start()

    def append(self, frame: Frame, done: Callable[[NotWritten | None], None]) -> None:
        """Hand a frame over; `done` is called once, from the writing thread, with None or why it is not on disk.

        Does not block. Raises ValueError for a frame over the bounds.
        """
        chunks = encode(frame)
        waiting = _Waiting(chunks, len(chunks[0]) + len(chunks[1]), done)
        with self._wake:
            if self._ending or self._thread is None:
                refused = NotWritten("the segment log is closed")
            else:
                self._waiting.append(waiting)
                self._bytes_waiting += waiting.size
                self._wake.notify()
                return
        done(refused)

    def close(self) -> None:
        """Write what waits, then let the folder go. Blocks until that is done."""
        with self._wake:
            self._ending = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
        self._let_go()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _run(self) -> None:
        while True:
            with self._wake:
                if not self._waiting and not self._ending:
                    self._wake.wait(self._segment_seconds)
                if not self._waiting and self._ending:
                    return
                group = [self._waiting.popleft() for _ in range(min(_GROUP, len(self._waiting)))]
            failed: NotWritten | None = None
            try:
                self._write(group)
                self.broken = False
            except OSError as error:
                self.failures += 1
                self.broken = True
                self._let_go()
                _log.exception("agentcop: %s cannot be written; nothing is acknowledged", self._folder)
                failed = NotWritten(error.errno, error.strerror or str(error))
            with self._wake:
                self._bytes_waiting -= sum(waiting.size for waiting in group)
            for waiting in group:
                try:
                    waiting.done(failed)
                except Exception:
                    _log.exception("agentcop: an acknowledgement could not be given")

    def _write(self, group: list[_Waiting]) -> None:
        chunks = [chunk for waiting in group for chunk in waiting.chunks]
        size = sum(waiting.size for waiting in group)
        old = time.monotonic() - self._begun >= self._segment_seconds and self._sizes.get(self._number, 0) > 0
        if not group and not old:
            return
        if self._descriptor < 0 or self._size + size > self._segment_bytes or old:
            self._next_segment()
        for start in range(0, len(chunks), _IOV):
            part = chunks[start : start + _IOV]
            expected = sum(map(len, part))
            written = os.writev(self._descriptor, part)
            if written != expected:
                raise OSError(f"only {written} of {expected} bytes were taken: is the disk full?")
        if self._fsync:
            os.fdatasync(self._descriptor)
        self._size += size
        self._sizes[self._number] = self._size
        self.written += size

    def _next_segment(self) -> None:
        self._let_go()
        self._number += 1
        path = self._folder / segment_name(self._number)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._size = 0
        self._begun = time.monotonic()
        if self._fsync:
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
