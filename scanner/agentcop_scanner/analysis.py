"""Scans one file: every rule that looks at its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcop_scanner.engine.program import HOPS, Program
from agentcop_scanner.engine.verdict import findings
from agentcop_scanner.finding import SEVERITIES
from agentcop_scanner.rule import ConfigRule, PatternRule, TaintRule
from agentcop_scanner.rules import all_rules
from agentcop_scanner.source.disk.problem import UnreadError
from agentcop_scanner.source.disk.reading import read_bytes
from agentcop_scanner.source.module import Module
from agentcop_scanner.source.parsing import parsed
from agentcop_scanner.trust.suppression import suppressions_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.report import Unscored
    from agentcop_scanner.rule import Rule
    from agentcop_scanner.source.disk.discovery import FoundFile
    from agentcop_scanner.source.document import Document
    from agentcop_scanner.trust.suppression import Suppression

MAX_FINDINGS = 2_000
"""Of one file; the rest is counted in a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What one file's scan gave, before scores, baselines and suppressions."""

    path: str
    findings: tuple[Finding, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    lines: int = 0
    unscored: Unscored | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()


def order(finding: Finding) -> tuple[object, ...]:
    """The order of findings: by path, then by place, then by rule, worst first."""
    place = finding.place
    return (finding.path, place.line, place.col, finding.rule, SEVERITIES.index(finding.severity), finding.message)


def _checked(rule: Rule, subject: Module | Document) -> Iterable[Finding]:
    if isinstance(subject, Module):
        if isinstance(rule, PatternRule):
            return rule.check(subject)
        if isinstance(rule, ConfigRule | TaintRule) and rule.also is not None:
            return rule.also(subject)
    elif isinstance(rule, ConfigRule):
        return rule.check(subject)
    return ()


def check(subject: Module | Document, program: Program) -> tuple[list[Finding], list[str]]:
    """What the rules find in one file, and what went wrong in them: a rule that fails stops no other."""
    found: list[Finding] = []
    failed: list[str] = []
    for rule in all_rules():
        try:
            found += _checked(rule, subject)
        except (Exception, RecursionError) as error:
            failed.append(f"{rule.id} failed: {type(error).__name__}: {str(error)[:120]}")
    if isinstance(subject, Module):
        try:
            found += findings(program, subject, HOPS)
        except (Exception, RecursionError) as error:
            failed.append(f"the taint engine failed: {type(error).__name__}: {str(error)[:120]}")
    return found, failed


def analyse(file: FoundFile, program: Program, name: str = "") -> Analysis:
    """Reads, parses and checks one file. Never raises for what is in it. `name`: dotted name under the scanned root."""
    subject: Module | Document | None = program.loaded(name) if name else None
    if subject is None or subject.path != file.path:
        try:
            subject = parsed(read_bytes(file.real, file.kind), file.path, file.kind, name)
        except UnreadError as error:
            return Analysis(path=file.path, unscored=error.unscored, problem=error.problem)
    found, failed = check(subject, program)
    ordered = sorted(dict.fromkeys(found), key=order)
    notes = [note for note in program.notes if note.startswith(f"{file.path}: ")]
    if len(ordered) > MAX_FINDINGS:
        notes.append(f"{file.path}: only {MAX_FINDINGS} of {len(ordered)} findings are shown")
    return Analysis(
        path=file.path,
        findings=tuple(ordered[:MAX_FINDINGS]),
        suppressions=suppressions_in(subject),
        lines=subject.text.count("\n"),
        unscored="failed" if failed else None,
        problem="; ".join(failed),
        notes=tuple(notes),
    )
