"""The scan behind `agentcop scan`: what is compared with what, who is told of the progress, what is remembered."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from agentcop_core.errors import ScanError
from agentcop_core.home import state_folder
from agentcop_scanner.finding import SEVERITIES
from agentcop_scanner.formats.excerpt import Excerpts
from agentcop_scanner.formats.view import View
from agentcop_scanner.history.baseline import Baseline, as_baseline, compare
from agentcop_scanner.history.baseline_file import read_baseline
from agentcop_scanner.history.revision import files_of
from agentcop_scanner.options import ScanOptions
from agentcop_scanner.rules import all_rules
from agentcop_scanner.scan import scan
from agentcop_scanner.trust.demands import Demands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    from agentcop_scanner.finding import Severity
    from agentcop_scanner.fixes.changes import Change
    from agentcop_scanner.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """One command's wishes."""

    paths: tuple[Path, ...]
    recursive: bool = True
    jobs: int = 0
    cached: bool = True
    baseline: Path | None = None
    may_lack_baseline: bool = False
    """Whether a baseline that is not there yet is an empty one."""
    diff: str | None = None
    """`REF`, or `A..B`."""
    own_files: tuple[Path, ...] = ()
    """What this command writes: no part of the scan."""
    quiet: bool = False
    demands: Demands = field(default_factory=Demands)
    severities: tuple[Severity, ...] = SEVERITIES
    colour: bool = False


@contextmanager
def scanned(request: ScanRequest) -> Iterator[tuple[View, Baseline | None]]:
    """The report as it is to be shown, and the part of the baseline that this scan does not speak of.

    Files of a commit last as long as the block. Raises ScanError where nothing can be scanned, or compared.
    """
    if request.diff is None:
        report, elsewhere = _with_baseline(request, _report(request, request.paths))
        yield _view(request, report, Excerpts()), elsewhere
        return
    before, dots, after = request.diff.partition("..")
    with files_of(before or "HEAD", request.paths) as old:
        known = as_baseline(old.told(_report(request, old.paths)), label=old.label)
        if not dots:
            report = compare(_report(request, request.paths), known, today=_now().date(), exists=_exists).report
            yield _view(request, report, Excerpts()), None
            return
        with files_of(after.removeprefix(".") or "HEAD", request.paths) as new:
            now = new.told(_report(request, new.paths))
            report = compare(now, known, today=_now().date(), exists=lambda path: _exists(new.locate(path))).report
            yield _view(request, report, Excerpts(locate=new.locate)), None


def fixes_of(request: ScanRequest) -> list[Change]:
    """What `--fix` would write, file by file."""
    from agentcop_scanner.fixes.changes import changes_for

    return changes_for(_report(request, request.paths))


def _with_baseline(request: ScanRequest, report: Report) -> tuple[Report, Baseline | None]:
    if request.baseline is None:
        return report, None
    if request.may_lack_baseline and not request.baseline.exists():
        known = Baseline(label=f"baseline {request.baseline}")
    else:
        known = read_baseline(request.baseline)
    comparison = compare(report, known, today=_now().date(), exists=_exists)
    return comparison.report, comparison.elsewhere


def _report(request: ScanRequest, paths: Sequence[Path]) -> Report:
    """The scan, without this command's own files. Raises ScanError if there is nothing to scan."""
    options = ScanOptions(
        recursive=request.recursive,
        jobs=request.jobs,
        cache=_cache() if request.cached else None,
        progress=_progress(sys.stderr) if sys.stderr.isatty() and not request.quiet else None,
    )
    report = scan(paths, options)
    own = {path.absolute() for path in request.own_files}
    mine = [file.path for file in report.files if Path(file.path).absolute() in own]
    if mine:
        report = replace(
            report,
            files=tuple(file for file in report.files if file.path not in mine),
            skipped=(*report.skipped, *((path, "this command writes it") for path in mine)),
        )
    if paths and not report.files:
        raise ScanError(
            f"nothing to scan in {', '.join(map(str, request.paths))}: no Python, notebook or agent settings"
        )
    return report


def _cache() -> Path | None:
    """Where results are remembered; None for a user without a home, whose scans start anew each time."""
    try:
        return state_folder() / "scan-cache"
    except OSError:
        return None


def _view(request: ScanRequest, report: Report, excerpts: Excerpts) -> View:
    return View(
        report=report,
        rules={rule.id: rule for rule in all_rules()},
        made=_now(),
        version=metadata.version("agentcop-runtime"),
        demands=request.demands,
        severities=request.severities,
        colour=request.colour,
        scanned=tuple(path.as_posix() for path in request.paths),
        excerpts=excerpts,
    )


def _progress(stream: TextIO) -> Callable[[int, int], None]:
    """A line that says how far the scan is, written over itself ten times a second at most, and wiped at the end."""
    last = 0.0

    def show(done: int, of: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done < of and now - last < 0.1:  # noqa: PLR2004 -- seconds
            return
        last = now
        stream.write("\r\x1b[K" if done >= of else f"\r\x1b[Kscanning {done:,} of {of:,} files")
        stream.flush()

    return show


def _exists(path: str) -> bool:
    return Path(path).exists()


def _now() -> datetime:
    return datetime.now(UTC)
