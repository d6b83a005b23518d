"""The files of a segment log, and how much of one is sound."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Final

from agentcop_detectors.segments.frame import Torn, decode

if TYPE_CHECKING:
    from pathlib import Path

LOCK: Final = "writer.lock"
OPEN: Final = ".log"
"""A segment of frames, as they came."""


def segment_name(number: int) -> str:
    """`0000000042.log`: sorts as it was written."""
    return f"{number:010d}{OPEN}"


def segment_paths(folder: Path) -> list[tuple[int, Path]]:
    """The segments of frames in `folder` with their numbers, oldest first. Other files are left alone."""
    return sorted((int(path.stem), path) for path in folder.glob(f"*{OPEN}") if path.stem.isdigit() and path.is_file())


def sound_length(path: Path) -> int:
    """How many bytes of a segment, from its beginning, are whole frames. Reads the file once; raises OSError."""
    if not path.stat().st_size:
        return 0
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as view,
    ):
        at = 0
        while at < len(view):
            try:
                with view[at:] as rest:
                    _, length = decode(rest)
            except Torn:
                break
            at += length
        return at
