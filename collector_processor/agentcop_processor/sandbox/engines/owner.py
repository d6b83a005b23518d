"""Whose a container is, on its labels: so that a process finds the boxes that a dead one has left, and no other's."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Final

LABEL: Final = "agentcop.owner"
_PARTS: Final = 4
_YOUNG: Final = 300.0
"""Seconds in which a container may still be about to be started."""


def owner() -> str:
    """What tells this process from any other: boot, PID namespace, pid and the moment it started."""
    pid = os.getpid()
    return ":".join((_boot(), _namespace(), str(pid), _started(pid)))


def is_dead(label: str, *, running: bool, age: float) -> bool:
    """Whether the owner of this label certainly is not there any more; False where that cannot be told from here.

    `running`: whether its container does. `age`: the container's, in seconds.
    """
    parts = label.split(":")
    if len(parts) != _PARTS or not parts[2].isdigit() or not parts[0] or not parts[3]:
        return False
    boot, namespace, pid, started = parts
    if boot != _boot():
        # An earlier boot's boxes do not run. One that does is of another machine, which uses the same engine.
        return bool(_boot()) and not running and age > _YOUNG
    return namespace == _namespace() and _started(int(pid)) != started


@lru_cache(maxsize=1)
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        return ""


def _started(pid: int) -> str:
    """In clock ticks since boot; "" for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
