"""The supervisor's ends of a call's pipes: bounded, never blocking, wiped after use.

The next call's process begins as a copy of the supervisor. So what a call sent or got is held only in byte arrays that
are overwritten with zeros when they are done with, and moved only between views of these: assigning to a slice of a
byte array itself copies first what is none.
"""

from __future__ import annotations

import os

from .frames import HEADER, header_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .frames import Raw

CHUNK = 65536


def wipe(data: bytearray) -> None:
    """Overwrite it with zeros; its length stays."""
    data[:] = bytes(len(data))


def read_into(file: int, place: memoryview) -> int:
    """How many bytes came; 0 at the pipe's end, -1 where nothing is there yet."""
    try:
        return os.readv(file, [place])
    except (BlockingIOError, InterruptedError):
        return -1


class Output:
    """What is kept of one of the tool's two outputs; the rest is read, dropped and counted."""

    __slots__ = ("_kept", "_limit", "_scratch", "cut", "file", "size")

    def __init__(self, file: int, limit: int, scratch: bytearray) -> None:
        """`limit`: bytes kept. `scratch` is read into, and wiped by whoever owns it."""
        os.set_blocking(file, False)
        self.file = file
        self.size = 0
        self.cut = 0
        self._limit = limit
        self._kept = bytearray(min(limit, 4096))
        self._scratch = scratch

    def read(self) -> int:
        """Take at most 64 KiB of what is there; answers as `read_into`."""
        size = read_into(self.file, memoryview(self._scratch))
        keep = max(min(size, self._limit - self.size), 0)
        if self.size + keep > len(self._kept):
            larger = bytearray(min(self._limit, 2 * len(self._kept) + keep))
            memoryview(larger)[: self.size] = self.text()
            wipe(self._kept)
            self._kept = larger
        memoryview(self._kept)[self.size : self.size + keep] = memoryview(self._scratch)[:keep]
        self.size += keep
        self.cut += max(size, 0) - keep
        return size

    def text(self) -> memoryview:
        """What was kept."""
        return memoryview(self._kept)[: self.size]

    def wipe(self) -> None:
        """Forget what was kept."""
        wipe(self._kept)


class Answer:
    """The one frame that the child writes when the tool has run; whoever holds the pipe may write anything to it."""

    __slots__ = ("_filled", "_head", "_maximum", "data", "file", "state")

    def __init__(self, file: int, maximum: int) -> None:
        """`maximum`: bytes; of a longer frame nothing is read but its length."""
        os.set_blocking(file, False)
        self.file = file
        self.state = "open"
        """`open`: more may come; `ok`: `data` is whole; `too_large`; `closed` before it was whole."""
        self.data = bytearray()
        self._head = bytearray()
        self._filled = 0
        self._maximum = maximum

    def read(self) -> bool:
        """Take what is there, up to a chunk; False where there is nothing more to take."""
        if self.state != "open":
            return False
        size = self._read_head() if len(self._head) < HEADER else -1
        if self.state != "open":
            return False
        if len(self._head) == HEADER and self.data:
            size = read_into(self.file, memoryview(self.data)[self._filled : self._filled + CHUNK])
            self._filled += max(size, 0)
        if len(self._head) == HEADER and self._filled == len(self.data):
            self.state = "ok"
        elif size == 0:
            self.state = "closed"
        return size > 0

    def _read_head(self) -> int:
        piece = bytearray(HEADER - len(self._head))
        size = read_into(self.file, memoryview(piece))
        self._head += piece[: max(size, 0)]
        if len(self._head) == HEADER:
            announced = int.from_bytes(self._head, "big")
            if announced > self._maximum:
                self.state = "too_large"
            else:
                self.data = bytearray(announced)
        return size

    def wipe(self) -> None:
        """Forget what came."""
        wipe(self.data)


class Request:
    """What is still to be written to the child, which may read it slowly, or never."""

    __slots__ = ("_waiting", "file")

    def __init__(self, file: int) -> None:
        os.set_blocking(file, False)
        self.file = file
        self._waiting: list[tuple[bytearray, int]] = []

    def add(self, data: bytearray) -> None:
        """Queue a frame; it is wiped when it has been written."""
        self._waiting += [(bytearray(header_of(data)), 0), (data, 0)]

    def write(self) -> bool:
        """Write what the pipe takes now; whether something is left. A child that is gone gets nothing, silently."""
        while self._waiting:
            try:
                written = os.writev(self.file, [memoryview(data)[done:] for data, done in self._waiting])
            except (BlockingIOError, InterruptedError):
                return True
            except BrokenPipeError:
                self.wipe()
                break
            self._written(written)
        return False

    def _written(self, size: int) -> None:
        """Take note of so many bytes; what has been written whole is wiped."""
        while self._waiting:
            data, done = self._waiting[0]
            more = min(size, len(data) - done)
            if done + more < len(data):
                self._waiting[0] = (data, done + more)
                break
            wipe(data)
            del self._waiting[0]
            size -= more

    def wipe(self) -> None:
        """Forget what was not written."""
        for data, _ in self._waiting:
            wipe(data)
        self._waiting.clear()


def write_all(file: int, pieces: list[Raw]) -> None:
    """Write all of it, blocking. Raises OSError where nobody reads."""
    left = [memoryview(piece) for piece in pieces if piece]
    while left:
        done = os.writev(file, left)
        while left and done >= len(left[0]):
            done -= len(left.pop(0))
        if left:
            left[0] = left[0][done:]
