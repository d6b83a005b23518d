"""Sentences that more than one format says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_scanner.finding import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.formats.view import View
    from agentcop_scanner.report import Changes
    from agentcop_scanner.trust.score import Term, TrustScore

TIMES: Final = "\N{MULTIPLICATION SIGN}"

_SMALL: Final = 0.005


def plural(count: int, noun: str) -> str:
    """`1 file`, `1,204 files`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def counted(view: View) -> str:
    """`5 findings: 1 CRITICAL, 4 HIGH; 1 baselined, 2 suppressed`."""
    counts = view.counts
    by_severity = ", ".join(f"{counts[name]:,} {name}" for name in SEVERITIES if counts[name])
    aside = ", ".join(f"{counts[name]:,} {name}" for name in ("baselined", "suppressed") if counts[name])
    return (
        plural(counts["findings"], "finding")
        + (f": {by_severity}" if by_severity else "")
        + (f"; {aside}" if aside else "")
    )


def extent(view: View) -> str:
    """`12 files, 3,410 lines`, with what has no score and what was left out."""
    report = view.report
    parts = [plural(len(report.files), "file"), plural(sum(file.lines for file in report.files), "line")]
    if view.unscored:
        parts.append(f"{len(view.unscored):,} not scored")
    if report.skipped:
        parts.append(f"{len(report.skipped):,} left out")
    return ", ".join(parts)


def changed(changes: Changes) -> str:
    """`42 new, 51 baselined, oldest 187 days, 3 gone since baseline agentcop-baseline.json`."""
    parts = [f"{changes.new:,} new", f"{changes.known:,} baselined"]
    if changes.oldest_days is not None:
        parts.append(f"oldest {plural(changes.oldest_days, 'day')}")
    if changes.gone:
        parts.append(f"{len(changes.gone):,} gone")
    return f"{', '.join(parts)} since {changes.since}"


def hidden(view: View) -> str:
    """What is not shown because of its severity; "" if nothing."""
    count = view.counts["findings"] - len(view.findings)
    return f"{plural(count, 'finding')} of other severities not shown" if count else ""


def calculation(score: TrustScore) -> Iterator[str]:
    """The score as a sum, a line a step: 100, less the points of each finding, the cap, the rounding."""
    yield "100.00  to begin with"
    terms, small = told(score)
    for term in terms:
        finding = term.reported.finding
        yield f"{-term.points:6.2f}  {finding.rule} line {finding.place.line}: {factors(term)}"
    if small:
        yield f"{-sum(term.points for term in small):6.2f}  {len(small):,} more of less than {_SMALL} each"
    if score.cap is not None and round(score.product) > score.cap:
        by = score.capped_by
        what = f"{by.finding.severity} of high confidence, {by.finding.rule} line {by.finding.place.line}" if by else ""
        yield f"{score.cap - score.product:6.2f}  cap of {score.cap}: {what}"
    yield f"{score.value:6d}  trust score, rounded"


def told(score: TrustScore) -> tuple[list[Term], list[Term]]:
    """The terms that take off enough to be named, and the others."""
    terms = [term for term in score.terms if term.points >= _SMALL]
    return terms, [term for term in score.terms if term.points < _SMALL]


def factors(term: Term) -> str:
    """How the points of one finding come about: `HIGH 0.3 x 1 confidence x 0.6 reach x 0.5 repeat, of 70.00`."""
    finding = term.reported.finding
    weighed = f"{finding.severity} {term.weight:.4g}"
    if term.reported.status == "suppressed":
        weighed += " (suppressed)"
    parts = (weighed, f"{term.confidence:g} confidence", f"{term.reach:g} reach", f"{term.decay:.4g} repeat")
    return f"{f' {TIMES} '.join(parts)}, of {term.before:.2f}"
