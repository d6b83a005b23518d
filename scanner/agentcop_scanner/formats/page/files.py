"""The files of the page: a table of scores, then each file with the sum behind its score and its findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.formats.page.elements import h, table
from agentcop_scanner.formats.page.findings import finding
from agentcop_scanner.formats.words import TIMES, plural, told
from agentcop_scanner.trust.score import CAP, trust_score

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentcop_scanner.formats.page.elements import Child, Node
    from agentcop_scanner.formats.view import View
    from agentcop_scanner.report import FileResult
    from agentcop_scanner.trust.score import Term, TrustScore

_HOW = (
    f"Each finding takes severity {TIMES} confidence {TIMES} reach {TIMES} repeat of what is left. "
    "Severity: CRITICAL 0.6, HIGH 0.3, MEDIUM 0.1, LOW 0.03; a tenth of it if suppressed for good, nothing if "
    "suppressed until a day. Confidence: high 1, medium 0.6, low 0.3. Reach: a tool or endpoint 1, unknown 0.6, tests "
    "or main block 0.3. Repeat: 1 for the first of a rule in the file, half of the one before for each more."
)
_OPEN_UP_TO = 30
"""Findings of a page that stand open; of a larger one all are closed."""


def ordered(view: View) -> list[tuple[int, FileResult]]:
    """Files with something to show, numbered; those without a score first, then the lowest."""
    some = [file for file in view.report.files if file.findings or file.score is None]
    some.sort(key=lambda file: (file.score is not None, file.score, file.path))
    return list(enumerate(some, 1))


def overview(view: View, files: Sequence[tuple[int, FileResult]]) -> Node:
    """All of them, with their scores."""
    clean = len(view.report.files) - len(files)
    rows = [
        (_score(file), h("a", file.path, href=f"#file-{number}"), f"{len(file.findings):,}") for number, file in files
    ]
    return h(
        "section",
        h("h2", "Files"),
        table(("trust score", "file", "findings"), rows, numbers=(0, 2)) if rows else None,
        h("p", f"{plural(clean, 'file')} without findings: trust score 100.", class_="muted") if clean else None,
        id="files",
    )


def _score(file: FileResult) -> list[Child]:
    if file.score is None:
        return [h("span", "not scored", class_="unscored")]
    ends = {"min": 0, "max": 100, "low": CAP["CRITICAL"] + 1, "high": CAP["HIGH"] + 1, "optimum": 100}
    return [str(file.score), h("meter", str(file.score), value=file.score, **ends)]


def section(view: View, number: int, file: FileResult) -> Iterator[Node]:
    """One file's heading and sum, then its findings one by one, so that a page of ten thousand is never one tree."""
    if file.score is None:
        yield h("h2", file.path, " ", h("span", "not scored", class_="unscored"), id=f"file-{number}")
        yield h("p", file.problem)
    else:
        yield h("h2", file.path, " ", h("span", f"trust score {file.score}", class_="chip"), id=f"file-{number}")
        yield _sum(file.score, trust_score(file.findings), number)
    opened = len(view.findings) <= _OPEN_UP_TO
    for one in view.shown(file):
        yield finding(view, one, opened=opened and one.status == "open")


def _sum(value: int, score: TrustScore, number: int) -> Node:
    named, small = told(score)
    rows = [("to begin with", "", "100.00"), *map(_term, named)]
    if small:
        points = sum(term.points for term in small)
        rows.append(_line(f"{len(small):,} more, each under 0.005", -points, score.product))
    if score.cap is not None and round(score.product) > score.cap and score.capped_by is not None:
        by = score.capped_by.finding
        words = f"cap: a {by.severity} of high confidence ({by.rule}, line {by.place.line}) leaves at most {score.cap}"
        rows.append(_line(words, score.cap - score.product, float(score.cap)))
    rows.append(("trust score, rounded", "", str(value)))
    return h(
        "details",
        h("summary", f"How {value} comes about"),
        table(("what", "points", "left"), rows, numbers=(1, 2)),
        h("p", _HOW, class_="muted"),
        class_="sum",
        id=f"sum-{number}",
    )


def _term(term: Term) -> tuple[str, str, str]:
    one = term.reported.finding
    factors = f" {TIMES} ".join(f"{part:.4g}" for part in (term.weight, term.confidence, term.reach, term.decay))
    suppressed = ", suppressed" if term.reported.status == "suppressed" else ""
    what = f"{one.rule}, line {one.place.line}: {one.severity}{suppressed}"
    words = f"{what}, {one.confidence} confidence, reach {one.reach}: {factors} of {term.before:.2f}"
    return _line(words, -term.points, term.after)


def _line(words: str, points: float, left: float) -> tuple[str, str, str]:
    return words, f"{points:.2f}", f"{left:.2f}"
