"""What is demanded of a scan, and whether it holds: the exit code is decided here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agentcop_scanner.finding import SEVERITIES

if TYPE_CHECKING:
    from agentcop_scanner.finding import Severity
    from agentcop_scanner.report import Report

Exit = Literal[0, 1, 2]
"""0 all demands hold; 1 one does not; 2 a file could not be scanned, so that nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What a policy, the flags, or both together ask for."""

    min_score: int | None = None
    """What each file must reach."""
    fail_on: tuple[Severity, ...] = ()
    """Severities of which no open finding may remain; one that is worse than any named here counts as well."""

    def also(self, other: Demands) -> Demands:
        """Both together: the stricter holds in each."""
        scores = [score for score in (self.min_score, other.min_score) if score is not None]
        named = {*self.fail_on, *other.fail_on}
        return Demands(
            min_score=max(scores) if scores else None,
            fail_on=tuple(severity for severity in SEVERITIES if severity in named),
        )

    @property
    def failing(self) -> tuple[Severity, ...]:
        """The severities that fail, worst first: who forbids HIGH does not let CRITICAL pass."""
        if not self.fail_on:
            return ()
        worst = min(SEVERITIES.index(severity) for severity in self.fail_on)
        return tuple(one for index, one in enumerate(SEVERITIES) if index < worst or one in self.fail_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Whether the demands hold."""

    crossed: tuple[str, ...] = ()
    """Each demand that does not, as a sentence."""
    unscored: tuple[str, ...] = ()
    """Each file that nobody can answer for, with the reason."""

    @property
    def code(self) -> Exit:
        """The exit code; what could not be done outweighs what was found."""
        return 2 if self.unscored else 1 if self.crossed else 0


def outcome(report: Report, demands: Demands) -> Outcome:
    """Hold a report against demands. A score that fell below the baseline's is always one."""
    crossed: list[str] = []
    if demands.min_score is not None:
        crossed += [
            f"{file.path}: trust score {file.score} is below {demands.min_score}"
            for file in report.files
            if file.score is not None and file.score < demands.min_score
        ]
    for severity in demands.failing:
        count = sum(
            one.status == "open" and one.finding.severity == severity for file in report.files for one in file.findings
        )
        if count:
            crossed.append(f"{count:,} {severity} {'finding' if count == 1 else 'findings'}, and none may remain")
    if report.changes is not None:
        crossed += [
            f"{drop.path}: trust score fell from {drop.before} to {drop.after} since {report.changes.since}"
            for drop in report.changes.drops
        ]
    unscored = [f"{file.path}: not scored: {file.problem}" for file in report.files if file.score is None]
    return Outcome(crossed=tuple(crossed), unscored=tuple(unscored))
