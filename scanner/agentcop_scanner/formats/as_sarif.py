"""SARIF 2.1.0, for code scanning services: rules with their help, results with code flows and stable fingerprints."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from agentcop_core.escape import escape_json
from agentcop_scanner.rule import documentation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding, Place, Severity, Step
    from agentcop_scanner.formats.view import View
    from agentcop_scanner.report import Reported
    from agentcop_scanner.rule import Rule

_LEVELS: Final[dict[Severity, Literal["error", "warning", "note"]]] = {
    "CRITICAL": "error",
    "HIGH": "error",
    "MEDIUM": "warning",
    "LOW": "note",
}
_SECURITY_SEVERITY: Final[dict[Severity, str]] = {"CRITICAL": "9.5", "HIGH": "8.0", "MEDIUM": "5.5", "LOW": "3.0"}
"""GitHub's bands: critical over 9, high from 7, medium from 4."""
_PRECISION: Final = {"high": "very-high", "medium": "high", "low": "medium"}


def render(view: View) -> Iterator[str]:
    """One SARIF log with one run. Findings of a rule that is not in `view.rules` have no metadata."""
    used = {one.finding.rule for one in view.findings}
    rules = [rule for _, rule in sorted(view.rules.items()) if rule.id in used]
    index = {rule.id: number for number, rule in enumerate(rules)}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "agentcop",
                        "fullName": f"agentcop scan {view.version}",
                        "version": view.version,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The folder that the scan ran in."}}},
                "invocations": [_invocation(view)],
                "results": [_result(one, index, view) for one in view.findings],
            }
        ],
    }
    for line in json.dumps(log, ensure_ascii=False, indent=1).split("\n"):
        yield escape_json(line) + "\n"


def _rule(rule: Rule) -> dict[str, object]:
    doc = documentation(rule)
    sections = "\n\n".join(f"## {name}\n\n{text}" for name, text in doc.sections.items())
    tags = ["security", *(f"external/cwe/cwe-{number:03d}" for number in rule.cwe)]
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.slug.split("-")),
        "shortDescription": {"text": doc.title},
        "fullDescription": {"text": doc.sections["What it does"]},
        "help": {"text": sections, "markdown": sections},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": tags + [f"owasp-asi-{number:02d}" for number in rule.asi],
            "security-severity": _SECURITY_SEVERITY[rule.severity],
            "precision": "high",
        },
    }


def _invocation(view: View) -> dict[str, object]:
    problems = [
        {
            "level": "error",
            "message": {"text": f"not scored: {file.problem}"},
            "locations": [{"physicalLocation": {"artifactLocation": _artifact(file.path)}}],
        }
        for file in view.unscored
    ]
    notes = [{"level": "note", "message": {"text": note}} for note in view.report.notes]
    left_out = [
        {"level": "warning", "message": {"text": f"left out: {path}: {reason}"}} for path, reason in view.report.skipped
    ]
    return {
        "executionSuccessful": view.outcome.code != 2,  # noqa: PLR2004 -- the exit code of what could not be done
        "exitCode": view.outcome.code,
        "endTimeUtc": view.made.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "toolExecutionNotifications": [*problems, *left_out, *notes],
    }


def _result(one: Reported, index: dict[str, int], view: View) -> dict[str, object]:
    finding = one.finding
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message + (f" {finding.fix}" if finding.fix else "")},
        "locations": [_location(finding.path, finding.place, finding)],
        "partialFingerprints": {"agentcop/v1": one.fingerprint},
        "properties": {
            "severity": finding.severity,
            "confidence": finding.confidence,
            "reach": finding.reach,
            "precision": _PRECISION[finding.confidence],
        },
    }
    if finding.rule in index:
        result["ruleIndex"] = index[finding.rule]
    if finding.trace:
        result["codeFlows"] = [{"threadFlows": [{"locations": [_step(step) for step in finding.trace]}]}]
    if one.status == "suppressed":
        result["suppressions"] = [{"kind": "inSource", "status": "accepted", "justification": one.reason}]
    if view.report.changes is not None:
        result["baselineState"] = "new" if one.status == "open" else "unchanged"
    return result


def _step(step: Step) -> dict[str, object]:
    return {"location": {**_location(step.path, step.place), "message": {"text": step.what}}}


def _location(path: str, place: Place, finding: Finding | None = None) -> dict[str, object]:
    region: dict[str, object] = {"startLine": place.line, "startColumn": place.col}
    end = max(place.line, place.end_line)
    if end > place.line:
        region["endLine"] = end
    # SARIF's end column is the first one after the region; ours is the last one in it.
    if place.end_col and (end > place.line or place.end_col >= place.col):
        region["endColumn"] = place.end_col + 1
    physical: dict[str, object] = {"artifactLocation": _artifact(path), "region": region}
    location: dict[str, object] = {"physicalLocation": physical}
    if finding is not None:
        if finding.snippet:
            # The snippet is whole lines, so it is the context of the region and not the region itself.
            physical["contextRegion"] = {
                "startLine": place.line,
                "endLine": end,
                "snippet": {"text": finding.snippet},
            }
        if finding.function:
            location["logicalLocations"] = [{"fullyQualifiedName": finding.function, "kind": "function"}]
    return location


def _artifact(path: str) -> dict[str, object]:
    if path.startswith("/"):
        return {"uri": "file://" + quote(path)}
    return {"uri": quote(path), "uriBaseId": "SRCROOT"}
