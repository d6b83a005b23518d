"""Findings and reports as the scanner makes them, for tests of what is done with them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from agentcop_scanner.analysis import Analysis
from agentcop_scanner.finding import SEVERITIES, Confidence, Finding, Place, Reach, Severity, Step
from agentcop_scanner.formats.view import View
from agentcop_scanner.report import FileResult, Report, Reported
from agentcop_scanner.rule import PatternRule
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


DOC = """A path from outside reaches the file system

## What it does

Follows parameters of tools to `open` and its kind.

## Why is this bad?

A model that read the wrong page asks for `../../etc/passwd`.

- It reads what it must not.
- It writes what it must not.

## Example

```python
open(base / name)
```

## Use instead

    path = (base / name).resolve()

    if not path.is_relative_to(base):
        raise ValueError(name)

## References

- https://cwe.mitre.org/data/definitions/22.html
"""

RULE = PatternRule(
    id="AC121", slug="path-traversal", severity="HIGH", cwe=(22,), asi=(2,), doc=DOC, check=lambda module: ()
)

HOSTILE = "</script></style><img src=x onerror=alert(1)>{{7*7}}{% raw %}\x1b[31m\u202e\u200b\x00]]>--> `|@all"
"""Markup, templates, a terminal's escape, characters that turn or hide text."""


def hostile_view(**changed: object) -> View:
    """A report in which everything that scanned code can choose is hostile."""
    one = finding(
        path=f"agents/{HOSTILE}.py",
        function=HOSTILE,
        snippet=HOSTILE,
        message=HOSTILE,
        trace=(Step(path=f"{HOSTILE}.py", place=Place(line=3), what=HOSTILE),),
    )
    file = file_of(one, path=one.path)
    broken = FileResult(path=f"b/{HOSTILE}", score=None, unscored="unparsable", problem=HOSTILE)
    report = Report(files=(file, broken), notes=(HOSTILE,), skipped=((HOSTILE, HOSTILE),))
    return view_of(report, **changed)


def view_of(report: Report, **changed: object) -> View:
    fields: dict[str, object] = {
        "report": report,
        "rules": {"AC121": RULE},
        "made": datetime(2026, 11, 27, 12, 0, tzinfo=UTC),
        "version": "0.1.0",
        "scanned": ("agents",),
    }
    return View(**(fields | changed))  # type: ignore[arg-type]  # tests name real fields
