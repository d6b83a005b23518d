"""What a rule is. One file a rule, in `rules/FAMILY/SLUG.py`, with `RULE` in it and its documentation as docstring.

The docstring's first line is the rule's title; then the sections of `SECTIONS`, each under its heading. The command
`agentcop rule`, SARIF's help, the HTML report and the documentation are all made of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agentcop_scanner.finding import Finding, Severity
    from agentcop_scanner.source.document import Document
    from agentcop_scanner.source.module import Module

Kind = Literal["taint", "pattern", "config"]
"""`taint`: follows data to a sink. `pattern`: looks at one Python module. `config`: looks at any other file's text."""

SECTIONS = ("What it does", "Why is this bad?", "Example", "Use instead", "References")
"""Headings of a rule's documentation, in this order; each stands alone on a line that begins with `## `."""


class Rule(Protocol):
    """What every kind of rule has."""

    id: str
    """`AC121`; never reused."""
    slug: str
    """The file's name with dashes: `path-traversal`."""
    severity: Severity
    cwe: tuple[int, ...]
    asi: tuple[int, ...]
    """Numbers of OWASP's top ten for agentic applications: 5 is ASI05."""
    doc: str
    """The module's docstring."""
    stable_since: str
    """The version of AgentCop whose releases have it."""
    fixable: bool
    """Whether `agentcop scan --fix` can mend it."""

    @property
    def kind(self) -> Kind:
        """How it looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternRule:
    """Looks at one parsed Python module."""

    id: str
    slug: str
    severity: Severity
    cwe: tuple[int, ...]
    asi: tuple[int, ...] = ()
    doc: str
    check: Callable[[Module], Iterable[Finding]]
    stable_since: str = "0.1.0"
    fixable: bool = False

    @property
    def kind(self) -> Kind:
        """How it looks."""
        return "pattern"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRule:
    """Looks at one file that is not Python: settings of agents and editors, skills, instructions."""

    id: str
    slug: str
    severity: Severity
    cwe: tuple[int, ...]
    asi: tuple[int, ...] = ()
    doc: str
    check: Callable[[Document], Iterable[Finding]]
    also: Callable[[Module], Iterable[Finding]] | None = None
    """The same rule on a Python module, where the weakness can stand in both."""
    stable_since: str = "0.1.0"
    fixable: bool = False

    @property
    def kind(self) -> Kind:
        """How it looks."""
        return "config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Documentation:
    """A rule's docstring, taken apart."""

    title: str
    sections: Mapping[str, str] = field(default_factory=dict)


def documentation(rule: Rule) -> Documentation:
    """The title and sections of a rule's docstring. Raises ValueError if a section is missing or out of order."""
    title, *lines = rule.doc.strip().splitlines()
    sections: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("## "):
            sections[line[3:].strip()] = []
        elif sections:
            sections[next(reversed(sections))].append(line)
    if tuple(sections) != SECTIONS:
        raise ValueError(f"{rule.id}: its sections are {list(sections)}, not {list(SECTIONS)}")
    return Documentation(title=title, sections={name: "\n".join(text).strip() for name, text in sections.items()})
