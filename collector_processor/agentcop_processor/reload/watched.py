"""Files on disk: whether they changed since they were read, and whether whoever changes them is done.

A file is taken when this process saw it rest for a second, or for ten where it looks cut off; or when its own times
say that it has rested for half a minute, as after a process did nothing for long. So one that is written in pieces is
not read in between, unless its writer pauses for that long.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REST: Final = 1.0
REST_IF_CUT: Final = 10.0
REST_BY_ITS_TIMES: Final = 30.0
"""More, because another machine's clock may have set them."""

_Mark = tuple[int, int, int, int, int] | None
"""Device, inode, size, times of change of the content and of the rest; None where there is no such file."""
Marks = dict[str, _Mark]


class Watched:
    """The files of one policy. Not thread-safe: its owner holds a lock. Blocks for a look at each file."""

    def __init__(
        self, *, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`now`: against the files' times; `monotonic`: for what this process sees itself."""
        self._now = now
        self._monotonic = monotonic
        self._taken: Marks = {}
        self._texts: dict[str, bytes] = {}
        self._moving: tuple[Marks, float] | None = None

    def take(self, marks: Marks, texts: dict[str, bytes]) -> None:
        """These files, in this state, are dealt with; `texts`: what a later state is held against, to see it cut."""
        self._taken = marks
        self._texts = texts
        self._moving = None

    def leave(self, marks: Marks) -> None:
        """The same for a state that is of no use: what was taken before stays what later ones are held against."""
        self.take(marks, self._texts)

    def changed(self, read: Callable[[str], bytes]) -> Marks | None:
        """The files' new state, if it differs from the one dealt with and has rested; else None.

        `read`: the bytes of one of them; may raise OSError.
        """
        marks = marks_of(self._taken)
        if marks == self._taken:
            self._moving = None
            return None
        if self._moving is None or self._moving[0] != marks:
            self._moving = (marks, self._monotonic())
        rested = self._monotonic() - self._moving[1]
        if self._unchanged_for(marks) < REST_BY_ITS_TIMES and (
            rested < REST or (rested < REST_IF_CUT and self._looks_cut(read))
        ):
            return None
        return marks

    def _unchanged_for(self, marks: Marks) -> float:
        """Seconds since the last change by the files' own times; 0 where one is missing, or its time is to come."""
        times = [max(mark[3], mark[4]) / 1e9 if mark is not None else self._now() for mark in marks.values()]
        return max(0.0, self._now() - max(times, default=0.0))

    def _looks_cut(self, read: Callable[[str], bytes]) -> bool:
        for path, old in self._texts.items():
            try:
                new = read(path)
            except OSError:
                continue  # missing, which is no half of anything
            if new != old and (old.startswith(new) or not new.strip() or (_ends(old) and not _ends(new))):
                return True
        return False


def _ends(text: bytes) -> bool:
    return text.endswith(b"\n")


def marks_of(paths: Iterable[str]) -> Marks:
    """The state of each file, links followed."""
    return {path: _mark(path) for path in paths}


def _mark(path: str) -> _Mark:
    try:
        found = os.stat(path)  # noqa: PTH116 -- text throughout: the paths are keys
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
