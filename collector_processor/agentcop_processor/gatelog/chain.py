"""What makes gate.log tamper-evident: each line of a writer carries the SHA-256 of that writer's line before it.

The hash is taken over a line's raw bytes without its newline, so nothing is ever serialised again to check it. A chain
belongs to one writer (one process, until it forks or a write fails); its lines are numbered from 0, the `start` line.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from typing import NamedTuple

LOG_NAME = "gate.log"
LOCK_NAME = "gate.log.lock"
"""Locked to rotate, and not empty while a rotation lasts: one that was cut short can be told from a theft."""
MAX_LINE = 2 * 1024 * 1024
"""Bytes of the longest line a writer makes; readers keep no more than this of one line in memory."""

_HEAD = re.compile(r"([A-Za-z0-9_-]{1,64}):([0-9]{1,18}):([0-9a-f]{64})")
_TIMED_WRITER = re.compile(r"([0-9a-f]{8})[0-9a-f]{12}")


class Head(NamedTuple):  # a tuple because one is made for every line: less than half the cost of a frozen dataclass
    """One line of one chain, named so that another process can witness it. `str()` is `writer:seq:hash`."""

    writer: str
    seq: int
    """The line's number in its chain, from 0."""
    hash: str
    """SHA-256 of the line's bytes without the newline, all 64 hex digits: a head may be the only witness there is."""

    def __str__(self) -> str:
        """The form that travels on spans and stands in heads files."""
        return f"{self.writer}:{self.seq}:{self.hash}"


def parse_head(text: str) -> Head | None:
    """The head that `text` spells, or None if it is not exactly one."""
    match = _HEAD.fullmatch(text)
    return Head(match[1], int(match[2]), match[3]) if match else None


def line_hash(line: bytes) -> str:
    """The hash that the writer's next line must carry as `prev`. `line` has no newline."""
    return hashlib.sha256(line, usedforsecurity=True).hexdigest()


def new_writer() -> str:
    """A fresh writer id: 8 hex digits of the time in seconds, 12 random ones; names neither host nor process.

    The time lets a verifier tell a chain that rotation may have removed from one that must still be there.
    """
    return f"{int(time.time()) & 0xFFFFFFFF:08x}{secrets.token_hex(6)}"


def writer_started(writer: str) -> int | None:
    """Seconds since the epoch at which `writer` began, or None if its id does not say."""
    match = _TIMED_WRITER.fullmatch(writer)
    return int(match[1], 16) if match else None
