"""Trees of source files on disk, and what a scan finds in them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from agentcop_scanner.options import ScanOptions
from agentcop_scanner.scan import scan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.report import Report


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """The folder, with these files in it, each dedented."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def report_of(folder: Path, **options: object) -> Report:
    """The report on a folder, made in this process unless told otherwise."""
    return scan([folder], ScanOptions(**{"jobs": 1, **options}))  # type: ignore[arg-type]  # the test knows the options


def findings_in(folder: Path, *rules: str) -> list[Finding]:
    """What these rules find in a folder."""
    found = [one.finding for file in report_of(folder).files for one in file.findings]
    return [finding for finding in found if not rules or finding.rule in rules]


def found_at(folder: Path, *rules: str) -> list[tuple[str, str, int]]:
    """Rule, file name and line of what these rules find in a folder."""
    return [(one.rule, one.path.rpartition("/")[2], one.place.line) for one in findings_in(folder, *rules)]
