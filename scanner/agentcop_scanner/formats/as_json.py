"""JSON: every finding flat, every file with the calculation of its score, and a summary.

Stable: keys are added, never renamed. Paths, lines and columns are as in the text; columns count from 1.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agentcop_core.escape import escape_json
from agentcop_scanner.trust.score import trust_score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentcop_scanner.formats.view import View
    from agentcop_scanner.report import Changes, FileResult, Reported
    from agentcop_scanner.rule import Rule


def render(view: View) -> Iterator[str]:
    """One JSON object, in pieces; what a terminal would act on is escaped."""
    yield '{"findings": [\n'
    yield from _separated(_finding(one, view.rules) for one in view.findings)
    yield '],\n"files": [\n'
    yield from _separated(_file(file) for file in view.report.files)
    yield '],\n"summary": '
    yield _text(_summary(view))
    yield "}\n"


def _separated(entries: Iterator[Mapping[str, object]]) -> Iterator[str]:
    before = ""
    for entry in entries:
        yield before + _text(entry)
        before = ",\n"
    yield "\n"


def _text(value: object) -> str:
    return escape_json(json.dumps(value, ensure_ascii=False))


def _finding(reported: Reported, rules: Mapping[str, Rule]) -> dict[str, object]:
    finding, place = reported.finding, reported.finding.place
    rule = rules.get(finding.rule)
    return {
        "rule": finding.rule,
        "name": rule.slug if rule else "",
        "severity": finding.severity,
        "path": finding.path,
        "line": place.line,
        "col": place.col,
        "end_line": place.end_line or place.line,
        "end_col": place.end_col,
        "message": finding.message,
        "confidence": finding.confidence,
        "reach": finding.reach,
        "function": finding.function,
        "snippet": finding.snippet,
        "trace": [
            {"path": step.path, "line": step.place.line, "col": step.place.col, "what": step.what}
            for step in finding.trace
        ],
        "fix": finding.fix,
        "cwe": list(rule.cwe) if rule else [],
        "asi": list(rule.asi) if rule else [],
        "fingerprint": reported.fingerprint,
        "status": reported.status,
        "reason": reported.reason,
        "until": reported.until,
    }


def _file(file: FileResult) -> dict[str, object]:
    entry: dict[str, object] = {
        "path": file.path,
        "score": file.score,
        "findings": len(file.findings),
        "lines": file.lines,
    }
    if file.score is None:
        return {**entry, "unscored": file.unscored, "problem": file.problem}
    score = trust_score(file.findings)
    terms = [
        {
            "rule": term.reported.finding.rule,
            "line": term.reported.finding.place.line,
            "weight": term.weight,
            "confidence": term.confidence,
            "reach": term.reach,
            "decay": term.decay,
            "factor": round(term.factor, 6),
            "points": round(term.points, 4),
        }
        for term in score.terms
    ]
    return {**entry, "calculation": {"terms": terms, "product": round(score.product, 4), "cap": score.cap}}


def _summary(view: View) -> dict[str, object]:
    report, counts = view.report, view.counts
    return {
        "version": view.version,
        "made": view.made.isoformat(timespec="seconds"),
        "scanned": list(view.scanned),
        "score": report.score,
        "files": len(report.files),
        "unscored": len(view.unscored),
        "lines": sum(file.lines for file in report.files),
        **counts,
        "shown": len(view.findings),
        "skipped": [{"path": path, "reason": reason} for path, reason in report.skipped],
        "notes": list(report.notes),
        "changes": None if report.changes is None else _changes(report.changes),
        "demands": {"min_score": view.demands.min_score, "fail_on": list(view.demands.failing)},
        "crossed": list(view.outcome.crossed),
        "exit_code": view.outcome.code,
    }


def _changes(changes: Changes) -> dict[str, object]:
    return {
        "since": changes.since,
        "new": changes.new,
        "baselined": changes.known,
        "oldest_days": changes.oldest_days,
        "gone": [{"rule": rule, "path": path} for rule, path in changes.gone],
        "drops": [{"path": drop.path, "before": drop.before, "after": drop.after} for drop in changes.drops],
    }
