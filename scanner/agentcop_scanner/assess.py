"""What becomes of a file's findings: which are suppressed, how each is known again, what the file scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.fingerprint import fingerprint
from agentcop_scanner.report import FileResult, Reported
from agentcop_scanner.score import trust_score

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.suppression import Suppression


def assessed(
    path: str, findings: Sequence[Finding], suppressions: Sequence[Suppression], *, lines: int, today: date
) -> FileResult:
    """A scanned file with its findings, by place and rule, and its score.

    `today` decides which suppressions still hold. The same file on the same day gives the same result.
    """
    ordered = sorted(findings, key=lambda one: (one.place.line, one.place.col, one.rule, one.message))
    reported = tuple(_reported(one, suppressions, today) for one in ordered)
    return FileResult(path=path, score=trust_score(reported).value, findings=reported, lines=lines)


def idle(
    path: str, findings: Sequence[Finding], suppressions: Sequence[Suppression], *, today: date
) -> tuple[str, ...]:
    """A line for each suppression that does nothing: nothing to silence on its line, or its last day is over."""
    said: list[str] = []
    for one in suppressions:
        if one.problem:
            said.append(f"{path}:{one.line} this ignore counts for nothing: {one.problem}")
            continue
        rules = ", ".join(one.rules)
        used = {finding.rule for finding in findings if one.silences(finding)}
        if used and one.expired(today):
            said.append(f"{path}:{one.line} ignore[{rules}] ended on {one.until}: its finding counts again")
        said += [
            f"{path}:{one.line} unused ignore[{rule}]: there is no such finding; take it out"
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
