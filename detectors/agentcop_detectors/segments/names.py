"""The files of a segment log, and how much of one is sound."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Final

from agentcop_detectors.segments.frame import Torn, decode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_detectors.segments.frame import Frame

LOCK: Final = "writer.lock"
OPEN: Final = ".log"
"""A segment of frames, as they came."""
SEALED: Final = ".sealed"
"""The same, compressed and with an index; see `segments.sealed`."""


def segment_name(number: int) -> str:
    """`0000000042.log`: sorts as it was written."""
    return f"{number:010d}{OPEN}"


def sealed_name(number: int) -> str:
    """`0000000042.sealed`."""
    return f"{number:010d}{SEALED}"


def segment_paths(folder: Path) -> list[tuple[int, Path]]:
    """The segments of frames in `folder` with their numbers, oldest first. Other files are left alone."""
    return _numbered(folder, OPEN)


def sealed_paths(folder: Path) -> list[tuple[int, Path]]:
    """The sealed segments in `folder` with their numbers, oldest first."""
    return _numbered(folder, SEALED)


def _numbered(folder: Path, suffix: str) -> list[tuple[int, Path]]:
    return sorted(
        (int(path.stem), path) for path in folder.glob(f"*{suffix}") if path.stem.isdigit() and path.is_file()
    )


def frames_in(path: Path, start: int = 0) -> Iterator[tuple[int, int, Frame]]:
    """The whole frames of a segment from the offset `start` on: where each begins, where it ends, and the frame.

    Raises OSError, also FileNotFoundError, at the first step.
    """
    with path.open("rb") as file:
        if not path.stat().st_size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
            at = start
            while at < len(view):
                try:
                    with view[at:] as rest:
                        frame, length = decode(rest)
                except Torn:
                    return
                yield at, at + length, frame
                at += length


def sound_length(path: Path) -> int:
    """How many bytes of a segment, from its beginning, are whole frames. Reads the file once; raises OSError."""
    return max((end for _, end, _ in frames_in(path)), default=0)
