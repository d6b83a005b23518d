"""Which message opened a thread in a channel, so that what follows is put below it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

import orjson

from agentcop_alerts.sinks.slack_bot import Posted
from agentcop_core.home import make_private

if TYPE_CHECKING:
    from pathlib import Path

_KEPT: Final = 500
_PARTS: Final = 2


class Threads:
    """`<folder>/<channel key>.json`, the newest 500 threads of each channel. Survives the process.

    Of two processes that write at the same moment one may win: the other's next message opens a thread of its own.
    """

    def __init__(self, folder: Path) -> None:
        """`folder`: made when something is put there."""
        self._folder = folder

    def root(self, channel: str, thread: str) -> Posted | None:
        """The message that opened `thread`; None if none is known. Blocks on the disk, raises nothing."""
        found = self._read(channel).get(thread)
        return Posted(*found) if found is not None else None

    def put(self, channel: str, thread: str, root: Posted) -> None:
        """Remember it. Blocks; swallows a disk that takes nothing: the next message then opens a thread of its own."""
        known = self._read(channel)
        if known.get(thread) == list(root):
            return
        known.pop(thread, None)
        known[thread] = list(root)
        while len(known) > _KEPT:
            del known[next(iter(known))]
        path = self._folder / f"{channel}.json"
        new = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
        with contextlib.suppress(OSError):
            make_private(self._folder)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123 -- a descriptor, not a path
                file.write(orjson.dumps(known))
            new.replace(path)

    def _read(self, channel: str) -> dict[str, list[str]]:
        try:
            found = orjson.loads((self._folder / f"{channel}.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return {
            thread: [str(part) for part in root]
            for thread, root in (found.items() if isinstance(found, dict) else ())
            if isinstance(root, list) and len(root) == _PARTS and all(isinstance(part, str) for part in root)
        }
