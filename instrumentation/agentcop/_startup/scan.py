"""The scan when a program starts: what the policy forbids in the agent's own code refuses the agent."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agentcop._startup.sources import Sources, source_of_caller, sources_of
from agentcop_core.errors import ScanRefused
from agentcop_core.escape import escape
from agentcop_core.locks import IMPORTING, safe_lock
from agentcop_policies.document.sections import Scan

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_policies import Policy
    from agentcop_scanner.report import FileResult, Reported
    from agentcop_scanner.trust.demands import Demands

_log = logging.getLogger("agentcop")
_MOST_NAMED = 10
_WITHOUT_SECTION = Scan()
"""What a policy without `scan:` demands: that no CRITICAL finding remains."""

_WORTH_A_WARNING: dict[bool, set[str]] = {True: {"CRITICAL", "HIGH", "MEDIUM"}, False: {"CRITICAL", "HIGH"}}
"""Of what does not refuse, by whether somebody asked for the scan; the rest is information."""
_warned: set[str] = set()
"""What was told once: the second cop of the same files is no news."""


class StartupScan:
    """Scans what it is shown, each file once in a process. Thread-safe."""

    def __init__(self, home: Path, *, asked: bool) -> None:
        """`home`: the state folder. `asked`: somebody wrote `scan=True`, so that what has no source is a warning."""
        self._asked = asked
        self._memory = home / "startup-scans"
        self._lock = safe_lock()
        self._digest = ""
        self._done: set[str] = set()
        self._told: set[str] = set()

    def caller(self, policy: Policy) -> None:
        """Scan the file that makes the cop. Raises ScanRefused."""
        self._check(source_of_caller(), policy)

    def objects(self, policy: Policy, *objects: object) -> None:
        """Scan the code of agents and tools, before anything guards them. Raises ScanRefused."""
        for obj in objects:
            self._check(sources_of(obj), policy)

    def _check(self, sources: Sources, policy: Policy) -> None:
        section = policy.document.scan or _WITHOUT_SECTION
        with self._lock:
            if policy.digest != self._digest:  # what passed another policy has not passed this one
                self._digest = policy.digest
                self._done.clear()
                self._told.clear()
            if not sources.complete:
                self._say("the object holds too much to look at all of it: some of its code is not scanned")
            loud = self._asked or policy.document.scan is not None
            reasons = self._missing(sources.missing - self._told, section, loud=loud)
            fresh = sources.first_party - self._done
            refused: list[Reported] = []
            if fresh:
                more, refused = self._scanned(fresh, section, loud=loud)
                reasons += more
            if installed := sources.installed - self._done:
                self._report(installed, loud=loud)
            if reasons:
                self._refuse(reasons, refused, observe=policy.document.mode == "observe")
            self._done |= fresh

    def _missing(self, names: set[str], section: Scan, *, loud: bool) -> list[str]:
        """Code that nobody can read is told once, and refused each time where the policy requires source."""
        lines = [f"{name} has no source to scan" for name in sorted(names)]
        if section.require_source:
            return [f"{line}, and scan.require_source is true" for line in lines]
        for line in lines:
            _log.log(logging.WARNING if loud else logging.INFO, "agentcop: scan: %s", escape(line))
        self._told |= names
        return []

    def _scanned(self, paths: set[str], section: Scan, *, loud: bool) -> tuple[list[str], list[Reported]]:
        """Why these files are refused, and for which findings; what is no reason is told."""
        with IMPORTING:
            from agentcop_scanner.startup import startup_scan
            from agentcop_scanner.trust.demands import Demands

        result = startup_scan(sorted(paths), memory=self._memory, today=datetime.now(UTC).date())
        demands = Demands(min_score=section.min_score, fail_on=section.fail_on)
        refused = [
            one
            for file in result.files
            for one in file.findings
            if one.status == "open" and one.finding.severity in demands.failing
        ]
        reasons = [_place(one) for one in refused] + [
            reason for file in result.files for reason in self._of_file(file, demands)
        ]
        if not reasons:
            for file in result.files:
                self._tell(file, "", loud=loud)
        for note in result.notes:
            _log.info("agentcop: scan: %s", escape(note))  # comments that do nothing: the scan in CI is for those
        return reasons, refused

    @staticmethod
    def _of_file(file: FileResult, demands: Demands) -> list[str]:
        least = demands.min_score
        if file.score is None:
            demanded = bool(demands.failing) or least is not None
            return [f"{file.path}: not scored: {file.problem}"] if demanded else []
        if least is not None and file.score < least:
            return [f"{file.path}: trust score {file.score} is below {least}"]
        return []

    def _report(self, paths: set[str], *, loud: bool) -> None:
        """What an installed tool's file has is told: its authors are others, and nobody here can mend it."""
        with IMPORTING:
            from agentcop_scanner.startup import startup_scan

        for path in sorted(paths):
            result = startup_scan([path], memory=self._memory, today=datetime.now(UTC).date())
            for file in result.files:
                self._tell(file, "installed ", loud=loud)
        self._done |= paths

    @staticmethod
    def _tell(file: FileResult, kind: str, *, loud: bool) -> None:
        severities = [one.finding.severity for one in file.findings if one.status == "open"]
        if severities:
            found = "1 finding" if len(severities) == 1 else f"{len(severities)} findings"
            line = f"{kind}{file.path}: {found}, trust score {file.score}: agentcop scan shows them"
            worth = bool({*severities} & _WORTH_A_WARNING[loud]) and line not in _warned
            _warned.add(line)
            _log.log(logging.WARNING if worth else logging.INFO, "agentcop: scan: %s", escape(line))

    def _refuse(self, reasons: list[str], refused: list[Reported], *, observe: bool) -> None:
        """Raises ScanRefused, unless the policy only observes."""
        named = [escape(reason) for reason in reasons[:_MOST_NAMED]]
        if len(reasons) > _MOST_NAMED:
            named.append(f"and {len(reasons) - _MOST_NAMED} more: agentcop scan shows them")
        if observe:
            for line in named:
                self._say(f"would be refused: {line}")
            return
        if refused:
            named.append("mend it, or where it is meant to be: # agentcop: ignore[RULE] and why, on its line")
        raise ScanRefused(
            "\n".join(["the start-up scan found what the policy forbids:", *(f"  {line}" for line in named)]),
            [one.finding for one in refused],
        )

    @staticmethod
    def _say(line: str) -> None:
        _log.warning("agentcop: scan: %s", escape(line))


def _place(one: Reported) -> str:
    finding = one.finding
    return f"{finding.path}:{finding.place.line} {finding.severity} {finding.rule}: {finding.message}"
