"""Markdown for a pull request or a job's summary: a verdict, a table of files, a table of findings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from agentcop_core.escape import escape, shorten
from agentcop_scanner.finding import SEVERITIES
from agentcop_scanner.formats.words import changed, counted, extent, hidden, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.formats.view import View

_MOST_ROWS: Final = 200
"""A comment on a pull request holds 65,536 characters."""
_MOST_CHARACTERS: Final = 160
_ACTIVE: Final = re.compile(r"([\\`*_{}\[\]()#+!|<>~@&:$^-])")


def render(view: View) -> Iterator[str]:
    """GitHub's Markdown; text of the scanned code is inert in it. Rows over 200 are counted, not shown."""
    outcome, report = view.outcome, view.report
    word = {0: "passed", 1: "FAILED", 2: "could not be done"}[outcome.code]
    score = "not scored" if report.score is None else f"trust score {report.score}"
    yield f"## agentcop scan: {word}, {score}\n\n"
    yield f"{plain(extent(view))}; {plain(counted(view))}\n"
    if note := hidden(view):
        yield f"\n{plain(note)}\n"
    if report.changes is not None:
        yield f"\n{plain(changed(report.changes))}\n"
    if lines := (*outcome.crossed, *outcome.unscored, *report.notes):
        yield "\n"
        yield from _rest([f"- {plain(line)}\n" for line in lines])
    yield from _files(view)
    yield from _findings(view)


def _files(view: View) -> Iterator[str]:
    worst = sorted(
        (file for file in view.report.files if file.score is not None and file.findings),
        key=lambda file: (file.score, file.path),
    )
    if worst:
        yield "\n| trust score | file | findings |\n|---:|---|---:|\n"
        yield from _rest([f"| {file.score} | {plain(file.path)} | {len(file.findings)} |\n" for file in worst])


def _findings(view: View) -> Iterator[str]:
    if not view.findings:
        return
    yield "\n| severity | rule | where | what | state |\n|---|---|---|---|---|\n"
    rows = []
    worst_first = sorted(view.findings, key=lambda one: (one.status != "open", SEVERITIES.index(one.finding.severity)))
    for one in worst_first:
        finding = one.finding
        state = one.status + (f": {one.reason}" if one.reason else "")
        cells = (finding.severity, finding.rule, f"{finding.path}:{finding.place.line}", finding.message, state)
        rows.append("| " + " | ".join(plain(cell) for cell in cells) + " |\n")
    yield from _rest(rows)


def _rest(rows: list[str]) -> Iterator[str]:
    yield from rows[:_MOST_ROWS]
    if len(rows) > _MOST_ROWS:
        yield f"\n{plural(len(rows) - _MOST_ROWS, 'more row')}: the JSON and HTML reports have them all.\n"


def plain(text: str) -> str:
    """`text` as words: no markup, no link, no mention."""
    return _ACTIVE.sub(r"\\\1", escape(shorten(text, _MOST_CHARACTERS)))
