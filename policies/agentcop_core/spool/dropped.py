"""What the spool's processes lost, in spans, so that a reader can say it."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

import orjson

from agentcop_core.filelock import try_lock
from agentcop_core.home import make_private
from agentcop_core.spool.segments import NO_FOLLOW, replace_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Loss = Literal["room", "queue", "write"]
"""`room`: pushed out of a full spool. `queue`: came while a process's own queue was full. `write`: the disk refused."""

_FILE: Final = "dropped.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Spans that no detector will see, summed over the processes that use this spool."""

    room: int = 0
    """Pushed out of a full spool."""
    queue: int = 0
    """Came while a process's own queue was full."""
    write: int = 0
    """Could not be written."""
    since: float = 0.0
    """First loss, in seconds since the epoch; 0 when there was none."""
    last: float = 0.0
    """Latest loss, likewise."""

    @property
    def spans(self) -> int:
        """All of them."""
        return self.room + self.queue + self.write


def read_dropped(folder: Path) -> Dropped:
    """What was lost so far; zeros when nothing was, or when the record is damaged. Raises OSError but for absence."""
    try:
        record = orjson.loads((folder / _FILE).read_bytes())
        return Dropped(
            room=int(record["room"]),
            queue=int(record["queue"]),
            write=int(record["write"]),
            since=float(record["since"]),
            last=float(record["last"]),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Dropped()


class DroppedRecord:
    """Adds one process's losses to the common record. One thread at a time; never raises.

    What finds the record busy or the disk full is kept, and written with the next loss.
    """

    def __init__(self, folder: Path, *, now: Callable[[], float] = time.time) -> None:
        """Nothing is created before the first loss."""
        self._folder = folder
        self._now = now
        self._pending: dict[Loss, int] = {"room": 0, "queue": 0, "write": 0}
        self._since = 0.0

    def add(self, loss: Loss, spans: int) -> None:
        """Count `spans` lost in this way."""
        self._pending[loss] += spans
        self._since = self._since or self._now()
        with contextlib.suppress(OSError):
            self._write()

    def forget(self) -> None:
        """In a forked child: what is pending is the parent's to write."""
        self._pending = dict.fromkeys(self._pending, 0)
        self._since = 0.0

    def _write(self) -> None:
        make_private(self._folder)
        descriptor = os.open(self._folder / "dropped.lock", os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o600)
        try:
            if not try_lock(descriptor):
                return
            past = read_dropped(self._folder)
            total = Dropped(
                room=past.room + self._pending["room"],
                queue=past.queue + self._pending["queue"],
                write=past.write + self._pending["write"],
                since=past.since or self._since,
                last=self._now(),
            )
            replace_file(self._folder / _FILE, orjson.dumps(asdict(total)))
            self.forget()
        finally:
            os.close(descriptor)
