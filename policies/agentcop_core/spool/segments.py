"""The spool's files: how segments are named, found, and taken over from a writer that died."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final, NamedTuple

from agentcop_core.filelock import try_lock

if TYPE_CHECKING:
    from pathlib import Path

OPEN: Final = ".open"
"""Suffix of a segment that is being written."""
SEALED: Final = ".jsonl"
"""Suffix of a segment that nobody writes any more."""
NEW: Final = ".new"
"""Suffix of a file that is about to take another's place."""
NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Opened with every file: no symbolic links, and no newline translation where that exists."""

_SPAN_MARK: Final = b'"startTimeUnixNano":'


def count_spans(lines: bytes) -> int:
    """How many spans a line, or a whole segment, holds.

    The mark is an object key of spans alone, and text cannot forge it: inside a JSON string its quotes are escaped.
    """
    return lines.count(_SPAN_MARK)


class Segment(NamedTuple):
    """One file of the spool, as it was when the folder was listed."""

    stem: str
    path: Path
    size: int

    @property
    def sealed(self) -> bool:
        """Whether its writer finished it."""
        return self.path.suffix == SEALED


def segments(folder: Path, bound_for: str | None = None) -> list[Segment]:
    """What lies in the spool, oldest first; `bound_for` None: all of it."""
    found: dict[str, Segment] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                stem, dot, suffix = entry.name.rpartition(".")
                if dot + suffix not in (OPEN, SEALED) or (bound_for and not stem.endswith(f"-{bound_for}")):
                    continue
                if not entry.is_file(follow_symlinks=False):
                    continue
                # Sealed or deleted while this list was made: the next look has it.
                with contextlib.suppress(FileNotFoundError):
                    found[stem] = Segment(stem, folder / entry.name, entry.stat(follow_symlinks=False).st_size)
    except FileNotFoundError:
        return []
    return [found[stem] for stem in sorted(found)]


def adopt(segment: Segment) -> Segment | None:
    """The segment as a sealed one, if its writer finished it or is dead; None while the writer lives.

    A writer locks its file before the first byte, so an empty file says nothing and a filled one always tells.
    """
    if segment.sealed:
        return segment
    if segment.size == 0:
        return None
    try:
        descriptor = os.open(segment.path, os.O_RDWR | NO_FOLLOW)
    except FileNotFoundError:
        return None
    dead = try_lock(descriptor)
    os.close(descriptor)
    if not dead:
        return None
    sealed = segment.path.with_suffix(SEALED)
    # The writer was sealing it just now, or another reader took it over: the name is the same.
    with contextlib.suppress(FileNotFoundError):
        segment.path.rename(sealed)
    return segment._replace(path=sealed)


def replace_file(path: Path, data: bytes) -> None:
    """Put a whole file in the place of another, or leave the other as it is."""
    temporary = path.with_suffix(NEW)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NO_FOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)
