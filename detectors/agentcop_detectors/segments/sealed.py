"""A sealed segment: frames in compressed blocks, and a sorted index from trace id to block.

    magic │ block … │ table: a line a block │ index: (trace id, block) … sorted │ footer

A block is zstd over whole frames, as the log had them. Written beside its name and renamed, so that what bears the name
is whole; the footer's checksum covers table and index, zstd's own each block.
"""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import google_crc32c
import zstandard

from agentcop_detectors.segments.frame import Torn, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from agentcop_detectors.segments.frame import Frame

_MAGIC: Final = b"AFSEAL\x00\x01"
_LINE: Final = struct.Struct("<QII")
_ENTRY: Final = struct.Struct(">16sI")
_FOOTER: Final = struct.Struct("<QQIIQQII8s")
_BLOCK_BYTES: Final = 512 * 1024
_LARGEST: Final = 256 * 1024 * 1024
_LEVEL: Final = 3


class Damaged(OSError):  # noqa: N818 -- what the file is
    """A file that bears a sealed segment's name and is none, or is no longer whole."""


class Footer(NamedTuple):
    """What is known of a sealed segment without reading its blocks."""

    table: int
    ids: int
    """Where the index begins."""
    blocks: int
    entries: int
    oldest: int
    """Nanoseconds since the epoch, by our clock: when its first frame was received."""
    newest: int
    frames: int


def write_sealed(path: Path, frames: Iterable[Frame], ids: Callable[[Frame], set[bytes]]) -> Footer:
    """Seal `frames` as `path`, whole or not at all. `ids`: the trace ids in a frame. Blocks; raises OSError."""
    new = path.with_name(path.name + ".new")
    lines: list[tuple[int, int, int]] = []
    entries: set[bytes] = set()
    oldest, newest, count = 2**64 - 1, 0, 0
    packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    with new.open("wb") as file:
        file.write(_MAGIC)
        for block in _blocks(frames):
            raw = b"".join(part for frame in block for part in encode(frame))
            packed = packer.compress(raw)
            lines.append((file.tell(), len(packed), len(raw)))
            file.write(packed)
            for frame in block:
                entries.update(_ENTRY.pack(trace_id, len(lines) - 1) for trace_id in ids(frame))
                oldest, newest, count = min(oldest, frame.received), max(newest, frame.received), count + 1
        table = file.tell()
        behind = b"".join(_LINE.pack(*line) for line in lines) + b"".join(sorted(entries))
        file.write(behind)
        index = table + len(lines) * _LINE.size
        footer = Footer(table, index, len(lines), len(entries), oldest, newest, count)
        file.write(_FOOTER.pack(*footer, google_crc32c.value(behind), _MAGIC))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return footer


def _blocks(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    block: list[Frame] = []
    size = 0
    for frame in frames:
        if block and size + len(frame.body) > _BLOCK_BYTES:
            yield block
            block, size = [], 0
        block.append(frame)
        size += len(frame.body)
    if block:
        yield block


class Sealed:
    """An opened sealed segment. One thread."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        """Checks the ends and the checksum of the index. Raises Damaged."""
        self._data = data
        self.path = path
        if len(data) < len(_MAGIC) + _FOOTER.size or data[: len(_MAGIC)] != _MAGIC:
            raise Damaged(f"{path} is no sealed segment")
        *found, checksum, magic = _FOOTER.unpack_from(data, len(data) - _FOOTER.size)
        self.footer = footer = Footer(*found)
        end = footer.ids + footer.entries * _ENTRY.size
        whole = (
            magic == _MAGIC
            and footer.table + footer.blocks * _LINE.size == footer.ids
            and end + _FOOTER.size == len(data)
        )
        if not whole or google_crc32c.value(data[footer.table : end]) != checksum:
            raise Damaged(f"{path} is damaged: its index does not hold")

    def blocks_of(self, trace_id: bytes) -> list[int]:
        """The blocks that hold spans of a trace: two comparisons for each doubling of the index."""
        low, high = 0, self.footer.entries
        while low < high:
            middle = (low + high) // 2
            if self._entry(middle)[0] < trace_id:
                low = middle + 1
            else:
                high = middle
        found = []
        while low < self.footer.entries:
            entry, block = self._entry(low)
            if entry != trace_id:
                break
            found.append(block)
            low += 1
        return found

    def frames_of(self, block: int) -> list[Frame]:
        """The frames of one block, in order. Raises Damaged."""
        offset, packed, raw = _LINE.unpack_from(self._data, self.footer.table + block * _LINE.size)
        if raw > _LARGEST:
            raise Damaged(f"{self.path} is damaged: block {block} is too large")
        try:
            data = zstandard.ZstdDecompressor().decompress(self._data[offset : offset + packed], max_output_size=raw)
        except zstandard.ZstdError:
            raise Damaged(f"{self.path} is damaged: block {block} does not unpack") from None
        frames: list[Frame] = []
        with memoryview(data) as view:
            at = 0
            while at < len(view):
                try:
                    with view[at:] as rest:
                        frame, length = decode(rest)
                except Torn:
                    raise Damaged(f"{self.path} is damaged: a frame of block {block} does not hold") from None
                frames.append(frame)
                at += length
        return frames

    def all_frames(self) -> Iterator[Frame]:
        """Every frame, in order. Raises Damaged."""
        for block in range(self.footer.blocks):
            yield from self.frames_of(block)

    def frames_from(self, offset: int) -> Iterator[tuple[int, int, Frame]]:
        """The frames that began at `offset` in the open segment, or behind it: where each began, ended, and the frame.

        Raises Damaged. After `forget` the offsets are those of what is left.
        """
        at = 0
        for block in range(self.footer.blocks):
            raw = _LINE.unpack_from(self._data, self.footer.table + block * _LINE.size)[2]
            if at + raw <= offset:
                at += raw
                continue
            for frame in self.frames_of(block):
                end = at + sum(map(len, encode(frame)))
                if at >= offset:
                    yield at, end, frame
                at = end

    def _entry(self, number: int) -> tuple[bytes, int]:
        entry: tuple[bytes, int] = _ENTRY.unpack_from(self._data, self.footer.ids + number * _ENTRY.size)
        return entry


@contextmanager
def opened(path: Path) -> Iterator[Sealed]:
    """The sealed segment in `path`. Raises OSError; Damaged is one."""
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise Damaged(f"{path} is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield Sealed(path, data)
