"""Sentences that more than one format says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.finding import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.formats.view import View
    from agentcop_scanner.report import Changes
    from agentcop_scanner.score import Term, TrustScore


def plural(count: int, noun: str) -> str:
    """`1 file`, `1,204 files`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def counted(view: View) -> str:
    """`5 findings: 1 CRITICAL, 4 HIGH; 1 baselined, 2 suppressed`."""
    counts = view.counts
    by_severity = ", ".join(f"{counts[name]:,} {name}" for name in SEVERITIES if counts[name])
    aside = ", ".join(f"{counts[name]:,} {name}" for name in ("baselined", "suppressed") if counts[name])
    return plural(counts["findings"], "finding") + (f": {by_severity}" if by_severity else "") + (f"; {aside}" if aside else "")


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
    for term in score.terms:
        finding = term.reported.finding
        yield f"{-term.points:6.2f}  {finding.rule} line {finding.place.line}: {factors(term)}"
    if score.cap is not None and round(score.product) > score.cap:
        by = score.capped_by
        what = f"{by.finding.severity} of high confidence, {by.finding.rule} line {by.finding.place.line}" if by else ""
        yield f"{score.cap - score.product:6.2f}  cap of {score.cap}: {what}"
    yield f"{score.value:6d}  trust score, rounded"


def factors(term: Term) -> str:
    """How the points of one finding come about: `30 % × 1 confidence × 1 reach × 0.5 second of its rule, of 70.00`."""
    return (
        f"{term.weight:.1%} {term.reported.finding.severity}{' suppressed' if term.reported.status == 'suppressed' else ''}"
        f" × {term.confidence:g} confidence × {term.reach:g} reach × {term.decay:.4g} repeat, of {term.before:.2f}"
    )
