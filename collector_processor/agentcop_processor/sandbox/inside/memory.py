"""How much memory the processes of a box hold together, where no container counts it.

Looked at now and then: a tool may go beyond its limit by what it can fill between two looks.
"""

from __future__ import annotations

import os

from .facts import text

_PAGE = os.sysconf("SC_PAGE_SIZE")


def above(limit: int) -> bool:
    """Whether all processes but pid 1 hold more than `limit` bytes. Only reads, never raises."""
    processes = [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]
    # What is mapped by several counts for each of them, which is quick to read, and so is enough where it is little.
    return sum(map(_mapped, processes)) > limit and sum(map(_share, processes)) > limit


def _mapped(process: str) -> int:
    fields = text(f"/proc/{process}/statm").split()
    return int(fields[1]) * _PAGE if len(fields) > 1 else 0


def _share(process: str) -> int:
    """What is mapped by several counts in parts; all of it for a process that hides how much is."""
    for line in text(f"/proc/{process}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return _mapped(process)
