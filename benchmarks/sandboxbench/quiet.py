"""Waits until nothing else runs on this machine: an engine is busy for a while with what the last variant left."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

_WINDOW: Final = 0.1
_IDLE: Final = 0.9
"""Which part of all processors' time must be idle for so many seconds."""
_PATIENCE: Final = 1.5
_COLUMNS: Final = 8
"""user, nice, system, idle, iowait, irq, softirq and steal; what guests take is in the first two."""


def quiet() -> bool:
    """Return once the machine is quiet, or after 1.5 s; whether it is."""
    until = time.monotonic() + _PATIENCE
    while True:
        before = _spent()
        time.sleep(_WINDOW)
        after = _spent()
        if after[0] - before[0] >= _IDLE * (after[1] - before[1]):
            return True
        if time.monotonic() > until:
            return False


def _spent() -> tuple[int, int]:
    """Idle time and all time of all processors since the start, in the kernel's ticks."""
    columns = [int(each) for each in Path("/proc/stat").read_text("ascii").partition("\n")[0].split()[1 : 1 + _COLUMNS]]
    return columns[3] + columns[4], sum(columns)
