"""What becomes of a file's findings: which are suppressed, how each is known again, what the file scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.fingerprint import fingerprint
from agentcop_scanner.report import FileResult, Reported
from agentcop_scanner.trust.score import trust_score

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from agentcop_scanner.analysis import Analysis
    from agentcop_scanner.finding import Finding
    from agentcop_scanner.trust.suppression import Suppression


def assessed(analysis: Analysis, *, today: date) -> FileResult:
    """A scanned file with its findings and its score; none where the scan could not be done, whatever it found.

    `today` decides which suppressions still hold. The same file on the same day gives the same result.
    """
    reported = tuple(_reported(one, analysis.suppressions, today) for one in analysis.findings)
    return FileResult(
        path=analysis.path,
        score=trust_score(reported).value if analysis.unscored is None else None,
        unscored=analysis.unscored,
        problem=analysis.problem,
        findings=reported,
        lines=analysis.lines,
    )


def idle(analysis: Analysis, *, today: date) -> tuple[str, ...]:
    """A line for each suppression that does nothing: nothing to silence on its line, or its last day is over."""
    if analysis.unscored is not None:
        return ()  # what was not scanned has nothing to silence
    said: list[str] = []
    for one in analysis.suppressions:
        where = f"{analysis.path}:{one.line}"
        if one.problem:
            continue  # rule AC301 reports it
        used = {finding.rule for finding in analysis.findings if one.silences(finding)}
        if used and one.expired(today):
            said.append(f"{where} ignore[{', '.join(one.rules)}] ended on {one.until}: its finding counts again")
        said += [
            f"{where} unused ignore[{rule}]: there is no such finding; take it out"
            for rule in one.rules
            if rule not in used
        ]
    return tuple(said)


def _reported(finding: Finding, suppressions: Sequence[Suppression], today: date) -> Reported:
    by = next((one for one in suppressions if one.silences(finding) and not one.expired(today)), None)
    if by is None:
        return Reported(finding=finding, fingerprint=fingerprint(finding))
    return Reported(
        finding=finding, fingerprint=fingerprint(finding), status="suppressed", reason=by.reason, until=by.until
    )
