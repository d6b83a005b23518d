"""Text for people: the findings by file, the sum behind each score, and a summary at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_core.escape import escape
from agentcop_scanner.formats.words import calculation, changed, counted, extent, hidden, plural
from agentcop_scanner.trust.score import trust_score

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding, Severity
    from agentcop_scanner.formats.view import View
    from agentcop_scanner.report import FileResult, Reported

_TONES: Final[dict[Severity, str]] = {"CRITICAL": "1;31", "HIGH": "31", "MEDIUM": "33", "LOW": "2"}
_MOST_NAMED: Final = 3


def render(view: View) -> Iterator[str]:
    """Lines; nothing in them drives a terminal, and colour is there only where the view asks for it."""
    for file in view.report.files:
        for line in _file(view, file):
            yield line + "\n"
    for line in _end(view):
        yield line + "\n"


def _file(view: View, file: FileResult) -> Iterator[str]:
    path = escape(file.path)
    if file.score is None:
        yield f"{_tone(path, '1', view)}  {_tone('not scored', '31', view)}: {escape(file.problem)}"
        yield ""
        return
    shown = [one for one in view.shown(file) if one.status == "open"]
    aside = [one for one in view.shown(file) if one.status != "open"]
    if not shown and not aside:
        return
    yield f"{_tone(path, '1', view)}  trust score {file.score}"
    for one in shown:
        yield from _finding(view, one.finding)
    for one in aside:
        yield f"  {_at(one.finding)}  {one.status} {one.finding.rule}: {escape(_because(one))}"
    yield from (_tone(f"    {escape(line)}", "2", view) for line in calculation(trust_score(file.findings)))
    yield ""


def _because(one: Reported) -> str:
    until = f" (until {one.until})" if one.until else ""
    return f"{'since ' if one.status == 'baselined' else ''}{one.reason}{until}"


def _finding(view: View, finding: Finding) -> Iterator[str]:
    rule = view.rules.get(finding.rule)
    name = f" {rule.slug}" if rule else ""
    severity = _tone(finding.severity, _TONES[finding.severity], view)
    yield f"  {_at(finding)}  {severity} {finding.rule}{name}: {escape(finding.message)}"
    for line in finding.snippet.splitlines():
        yield f"      | {escape(line)}"
    for step in finding.trace:
        where = f"{step.path}:" if step.path != finding.path else "line "
        yield f"      > {escape(where)}{step.place.line} {escape(step.what)}"
    if finding.fix:
        yield f"      fix: {escape(finding.fix)}"


def _at(finding: Finding) -> str:
    return f"{finding.place.line}:{finding.place.col}"


def _end(view: View) -> Iterator[str]:
    report = view.report
    yield from (f"note: {escape(note)}" for note in report.notes)
    by_reason: dict[str, list[str]] = {}
    for path, reason in report.skipped:
        by_reason.setdefault(reason, []).append(path)
    for reason, paths in by_reason.items():
        more = f" and {len(paths) - _MOST_NAMED:,} more, which -f json names" if len(paths) > _MOST_NAMED else ""
        yield f"left out: {escape(', '.join(paths[:_MOST_NAMED]))}{more}: {escape(reason)}"
    if report.changes is not None:
        yield f"{escape(changed(report.changes))}"
        for drop in report.changes.drops:
            yield f"  worse: {escape(drop.path)}: {drop.before} → {drop.after}"
    yield f"{extent(view)}; {counted(view)}"
    if note := hidden(view):
        yield note
    lowest = [file.path for file in report.files if file.score is not None and file.score == report.score]
    if report.score is not None:
        others = f" and {plural(len(lowest) - 1, 'other')}" if len(lowest) > 1 else ""
        yield f"trust score {_tone(str(report.score), '1', view)} ({escape(lowest[0])}{others})"
    yield from (f"{_tone('FAILED', '1;31', view)}: {escape(line)}" for line in view.outcome.crossed)


def _tone(text: str, code: str, view: View) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if view.colour else text
