"""Findings and reports as the scanner makes them, for tests of what is done with them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from agentcop_scanner.analysis import Analysis
from agentcop_scanner.finding import SEVERITIES, Confidence, Finding, Place, Reach, Severity, Step
from agentcop_scanner.report import FileResult, Report, Reported
from agentcop_scanner.trust.assess import assessed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcop_scanner.trust.suppression import Suppression

TODAY = date(2026, 11, 27)


def finding(  # noqa: PLR0913 -- a finding has that many sides
    rule: str = "AC121",
    line: int = 1,
    *,
    severity: Severity = "HIGH",
    confidence: Confidence = "high",
    reach: Reach = "tool",
    path: str = "agents/files.py",
    function: str = "save",
    snippet: str = "open(base + name)",
    message: str = "a path from outside reaches open",
    trace: tuple[Step, ...] = (),
    end_line: int = 0,
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        path=path,
        place=Place(line=line, col=5, end_line=end_line or line, end_col=9),
        message=message,
        confidence=confidence,
        reach=reach,
        function=function,
        snippet=snippet,
        trace=trace,
    )


def reported(
    rule: str = "AC121",
    line: int = 1,
    *,
    severity: Severity = "HIGH",
    confidence: Confidence = "high",
    reach: Reach = "tool",
) -> Reported:
    one = finding(rule, line, severity=severity, confidence=confidence, reach=reach)
    return Reported(finding=one, fingerprint=f"{line:016x}")


def file_of(*findings: Finding, path: str = "agents/files.py", suppressions: Sequence[Suppression] = ()) -> FileResult:
    return assessed(analysis_of(*findings, path=path, suppressions=suppressions), today=TODAY)


def analysis_of(*findings: Finding, path: str = "a.py", suppressions: Sequence[Suppression] = ()) -> Analysis:
    return Analysis(path=path, findings=findings, suppressions=tuple(suppressions), lines=40)


def report_of(*files: FileResult) -> Report:
    return Report(files=tuple(sorted(files, key=lambda one: one.path)))


def any_reported() -> st.SearchStrategy[Reported]:
    """Every kind of finding, suppressed ones too."""
    confidences: tuple[Confidence, ...] = ("high", "medium", "low")
    reaches: tuple[Reach, ...] = ("tool", "unknown", "test")
    findings = st.builds(
        finding,
        st.sampled_from(["AC101", "AC121", "AC134", "AC192"]),
        st.integers(1, 30),
        severity=st.sampled_from(SEVERITIES),
        confidence=st.sampled_from(confidences),
        reach=st.sampled_from(reaches),
    )
    fingerprints = st.integers(0, 2**64 - 1).map(lambda number: f"{number:016x}")
    return st.one_of(
        st.builds(Reported, finding=findings, fingerprint=fingerprints),
        st.builds(Reported, finding=findings, fingerprint=fingerprints, status=st.just("baselined")),
        st.builds(
            Reported,
            finding=findings,
            fingerprint=fingerprints,
            status=st.just("suppressed"),
            reason=st.just("our own list"),
            until=st.sampled_from(["", "2027-01-31"]),
        ),
    )
