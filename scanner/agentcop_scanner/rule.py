"""What a rule is. One file a rule, in `rules/FAMILY/SLUG.py`, with `RULE` in it and its documentation as docstring.

The docstring's first line is the rule's title; then the sections of `SECTIONS`, each under its heading. The command
`agentcop rule`, SARIF's help, the HTML report and the documentation are all made of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, cast, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agentcop_scanner.finding import Finding, Severity
    from agentcop_scanner.source.document import Document
    from agentcop_scanner.source.module import Module

Kind = Literal["taint", "pattern", "config"]
"""`taint`: follows data to a sink. `pattern`: looks at one Python module. `config`: looks at any other file's text."""

Danger = Literal[
    "code",
    "shell",
    "argument",
    "path",
    "url",
    "sql",
    "query",
    "template",
    "format",
    "import",
    "object",
    "system",
    "prompt",
    "memory",
]
"""What text can do where it arrives.

`code`: it is run as Python. `shell`: as a command. `argument`: it is an argument of a program, perhaps an option.
`path`: it names a file. `url`: an address to fetch. `sql`, `query`: it is part of a query. `template`: it is a template
that can run code. `format`: one that can read attributes. `import`: it names a module or class to load. `object`: its
bytes become objects. `system`: it is in the system prompt. `prompt`: in any other. `memory`: it is remembered.
"""

DANGERS: tuple[Danger, ...] = get_args(Danger)

Source = Literal[
    "tool", "endpoint", "model", "request", "upload", "content", "command", "public", "operator", "self", "unknown"
]
"""Where text comes from, as a rule counts it.

`tool`, `endpoint`, `command`: a parameter of such a function. `public`: of any other function that others may call.
`model`: what a model wrote. `request`: what came over the network. `upload`: the name a client gave a file. `content`:
files, pages, rows, messages. `operator`: environment and configuration. `self`: an attribute of the object.
`unknown`: anything that is no constant.
"""

SECTIONS = ("What it does", "Why is this bad?", "Example", "Use instead", "References")
"""Headings of a rule's documentation, in this order; each stands alone on a line that begins with `## `."""


class Rule(Protocol):
    """What every kind of rule has."""

    @property
    def id(self) -> str:
        """`AC121`; never reused."""

    @property
    def slug(self) -> str:
        """The file's name with dashes: `path-traversal`."""

    @property
    def severity(self) -> Severity:
        """How bad it is at its worst."""

    @property
    def cwe(self) -> tuple[int, ...]:
        """Numbers of the Common Weakness Enumeration."""

    @property
    def asi(self) -> tuple[int, ...]:
        """Numbers of OWASP's top ten for agentic applications: 5 is ASI05."""

    @property
    def doc(self) -> str:
        """The module's docstring."""

    @property
    def stable_since(self) -> str:
        """The version of AgentCop whose releases have it."""

    @property
    def fixable(self) -> bool:
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
class Sink:
    """Calls in which text is dangerous."""

    calls: tuple[str, ...]
    """Dotted names, `os.system`; of a method of a value of a known class, `pathlib.Path.write_text`; of a method of
    anything, with a dot before it, `.executescript`."""
    args: tuple[int | str, ...] = (0,)
    """Positions and keywords of the dangerous arguments; -1 is the object whose method it is; `*` is every one."""
    given: tuple[tuple[str, object], ...] = ()
    """Keywords that must be given with these constants: `(("shell", True),)`."""
    unless: tuple[tuple[str, object], ...] = ()
    """Keywords with which it is harmless: a constant, or text for a thing by its name, `=yaml.SafeLoader`."""
    receivers: frozenset[str] = frozenset()
    """For a method of anything: words of which the name of the object must have one."""
    spares: frozenset[str] = frozenset()
    """Words in the name of the object's class with which it is harmless."""
    looks: Literal["", "sql", "url", "command", "path"] = ""
    """For a method of anything: what the literal part of the argument, or else the name of it, must look like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaintRule:
    """Untrusted text that arrives where it is dangerous. Mostly data: the engine does the looking."""

    id: str
    slug: str
    severity: Severity
    cwe: tuple[int, ...]
    asi: tuple[int, ...] = ()
    doc: str
    danger: Danger
    """Rules of one danger share their cleaners."""
    whole: Mapping[Source, Severity]
    """Sources that count where their text is the whole argument or its beginning, and how much."""
    joined: Mapping[Source, Severity]
    """Sources that count where their text is put after something else."""
    sinks: tuple[Sink, ...] = ()
    shares: str = ""
    """Id of the rule whose sinks it shares; it goes first where it counts the source."""
    cleaners: tuple[str, ...] = ()
    """Functions, and `.methods`, whose result can no longer do it."""
    weak: Literal["", "any", "#prefix", "#token", "#identifier"] = ""
    """Whether it is about text whose only check can be got round: any such, by a prefix, by its first word; or about
    text that stands for a name in a query."""
    also: Callable[[Module], Iterable[Finding]] | None = None
    """The same weakness where it shows without following data: a check that is weak, whatever it is for."""
    message: str = "{source} reaches {sink}"
    """Said of each finding, with these two filled in."""
    fix: str = ""
    stable_since: str = "0.1.0"
    fixable: bool = False

    @property
    def kind(self) -> Kind:
        """How it looks."""
        return "taint"


def at(severity: Severity, sources: str) -> dict[Source, Severity]:
    """These sources, by their names with spaces between them, all of one severity."""
    return {cast("Source", source): severity for source in sources.split()}


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
