"""How a scan is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """What the caller of a scan may choose. None of it decides what a file is worth."""

    recursive: bool = True
    jobs: int = 0
    """Processes that scan; 0: as many as the machine and the work are good for. 1: this process alone."""
    cache: Path | None = None
    """Folder that remembers results between scans; None: nothing is remembered."""
    max_files: int = 200_000
    today: date | None = None
    """The day that suppressions with an end are held against; None: this day, in UTC."""
    progress: Callable[[int, int], None] | None = None
    """Called with how many files are done, and of how many."""
