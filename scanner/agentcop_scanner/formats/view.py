"""What every format is made of: the report, its rules, what was demanded, and what of it is to be shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from agentcop_scanner.finding import SEVERITIES
from agentcop_scanner.formats.excerpt import Excerpts
from agentcop_scanner.trust.demands import Demands, Outcome, outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from agentcop_scanner.finding import Severity
    from agentcop_scanner.report import FileResult, Report, Reported
    from agentcop_scanner.rule import Rule


@dataclass(frozen=True, kw_only=True)
class View:
    """One report as it is to be shown. Counts are of everything, whatever is shown."""

    report: Report
    rules: Mapping[str, Rule]
    """By id: those that ran."""
    made: datetime
    """When, with its time zone."""
    version: str
    """Of AgentCop."""
    demands: Demands = field(default_factory=Demands)
    severities: tuple[Severity, ...] = SEVERITIES
    """Those that are shown; they decide nothing."""
    colour: bool = False
    """Whether the text has colours: only for a terminal."""
    scanned: tuple[str, ...] = ()
    """What was asked for, as it was asked for."""
    excerpts: Excerpts = field(default_factory=Excerpts)

    @cached_property
    def outcome(self) -> Outcome:
        """Whether the demands hold."""
        return outcome(self.report, self.demands)

    @cached_property
    def findings(self) -> tuple[Reported, ...]:
        """Those to show, by file and place."""
        return tuple(one for file in self.report.files for one in self.shown(file))

    def shown(self, file: FileResult) -> tuple[Reported, ...]:
        """Those of one file to show, by place."""
        return tuple(one for one in file.findings if one.finding.severity in self.severities)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many there are: `findings`, each severity and each status, by name."""
        every = [one for file in self.report.files for one in file.findings]
        severity = Counter(one.finding.severity for one in every)
        status = Counter(one.status for one in every)
        return {
            "findings": len(every),
            **{name: severity[name] for name in SEVERITIES},
            "open": status["open"],
            "baselined": status["baselined"],
            "suppressed": status["suppressed"],
        }

    @cached_property
    def unscored(self) -> tuple[FileResult, ...]:
        """Files without a score."""
        return tuple(file for file in self.report.files if file.score is None)
