"""Scans files and folders. Reads and parses; never imports or runs what it scans, and opens no socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.analysis import Analysis, analyse
from agentcop_scanner.engine.program import Program
from agentcop_scanner.engine.tables import tables
from agentcop_scanner.fingerprint import fingerprint
from agentcop_scanner.options import ScanOptions
from agentcop_scanner.report import FileResult, Report, Reported
from agentcop_scanner.rule import TaintRule
from agentcop_scanner.rules import all_rules
from agentcop_scanner.source.disk.discovery import discover

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def _result(analysis: Analysis) -> FileResult:
    return FileResult(
        path=analysis.path,
        score=None,
        unscored=analysis.unscored,
        problem=analysis.problem,
        findings=tuple(Reported(finding=one, fingerprint=fingerprint(one)) for one in analysis.findings),
        lines=analysis.lines,
    )


def scan(paths: Sequence[Path], options: ScanOptions | None = None) -> Report:
    """A report on every file under `paths`. The same files give the same report, in whatever order they were done.

    Named paths that do not exist are in the report as unreadable files. Blocks until all is done.
    """
    chosen = options or ScanOptions()
    found = discover(paths, recursive=chosen.recursive, max_files=chosen.max_files)
    program = Program(tables(rule for rule in all_rules() if isinstance(rule, TaintRule)), lambda _: None)
    analyses = [analyse(file, program=program) for file in found.files]
    missing = [FileResult(path=path, score=None, unscored="unreadable", problem=why) for path, why in found.missing]
    notes = [note for analysis in analyses for note in analysis.notes]
    if found.folders_not_entered:
        notes.append(f"{found.folders_not_entered} folders were not entered: the scan was not recursive")
    return Report(
        files=tuple(sorted([*map(_result, analyses), *missing], key=lambda file: file.path)),
        skipped=tuple(found.skipped),
        notes=tuple(notes),
    )
