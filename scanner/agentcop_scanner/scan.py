"""Scans files and folders. Reads and parses; never imports or runs what it scans, and opens no socket."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agentcop_scanner.options import ScanOptions
from agentcop_scanner.report import FileResult, Report
from agentcop_scanner.source.disk.discovery import discover
from agentcop_scanner.trust.assess import assessed, idle
from agentcop_scanner.work.schedule import analysed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def scan(paths: Sequence[Path], options: ScanOptions | None = None) -> Report:
    """A report on every file under `paths`. The same files give the same report, in whatever order they were done.

    Named paths that do not exist are in the report as unreadable files. Blocks until all is done.
    """
    chosen = options or ScanOptions()
    found = discover(paths, recursive=chosen.recursive, max_files=chosen.max_files)
    analyses, notes = analysed(found.files, chosen)
    missing = [FileResult(path=path, score=None, unscored="unreadable", problem=why) for path, why in found.missing]
    today = chosen.today or datetime.now(UTC).date()
    notes += [note for analysis in analyses for note in (*analysis.notes, *idle(analysis, today=today))]
    if found.folders_not_entered:
        notes.append(f"{found.folders_not_entered} folders were not entered: the scan was not recursive")
    return Report(
        files=tuple(sorted([*(assessed(one, today=today) for one in analyses), *missing], key=lambda file: file.path)),
        skipped=tuple(found.skipped),
        notes=tuple(notes),
    )
