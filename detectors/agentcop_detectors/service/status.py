"""What each process of the service says about itself, in one small file each, for the others to read."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import orjson

from agentcop_core.home import make_private

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_log = logging.getLogger("agentcop")

FRESH_SECONDS: Final = 10.0
"""A process that said nothing for so long hangs, or is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One process, as it last said."""

    name: str
    pid: int
    time: float
    """When it said so, in seconds since the epoch."""
    ready: bool = False
    """Whether it does its work."""
    why: str = ""
    """One sentence, where it is not ready."""
    counts: dict[str, int] = field(default_factory=dict)
    """What only grows, since the process began."""
    gauges: dict[str, float] = field(default_factory=dict)
    """What is now."""
    words: dict[str, str] = field(default_factory=dict)
    """Addresses and the like."""


class Publisher:
    """Writes one process's status. One thread; never raises: what others see gets old, which they notice."""

    def __init__(self, folder: Path, name: str, *, clock: Callable[[], float] = time.time) -> None:
        """Opens nothing."""
        self._path = folder / f"{name}.json"
        self._name = name
        self._clock = clock
        self._failed = False

    def publish(
        self,
        *,
        ready: bool,
        why: str = "",
        counts: Mapping[str, int] | None = None,
        gauges: Mapping[str, float] | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        """Say it."""
        said = {
            "name": self._name,
            "pid": os.getpid(),
            "time": self._clock(),
            "ready": ready,
            "why": why,
            "counts": dict(counts or {}),
            "gauges": dict(gauges or {}),
            "words": dict(words or {}),
        }
        try:
            make_private(self._path.parent)
            # A name of its own: a process that was killed while it wrote, and its successor, must not share one.
            new = self._path.with_suffix(f".{os.getpid()}.new")
            new.write_bytes(orjson.dumps(said))
            new.replace(self._path)
            self._failed = False
        except OSError:
            if not self._failed:
                _log.exception("agentcop: %s cannot be written", self._path)
            self._failed = True


def read_status(folder: Path, name: str) -> Status | None:
    """What a process said last; None if it never did, or if that cannot be read."""
    try:
        said = orjson.loads((folder / f"{name}.json").read_bytes())
        return Status(**said)
    except (OSError, ValueError, TypeError):
        return None


def clear(folder: Path) -> None:
    """Forget what earlier processes said. Raises OSError."""
    for path in folder.glob("*.json"):
        path.unlink(missing_ok=True)
    for path in folder.glob("*.new"):
        path.unlink(missing_ok=True)
