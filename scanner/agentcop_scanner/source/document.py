"""One file that is not Python, as its rules see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from agentcop_scanner.data.node import Entry, Lines, Node
from agentcop_scanner.finding import Finding, Place
from agentcop_scanner.source.snippet import snippet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Confidence, Severity
    from agentcop_scanner.rule import Rule

DocumentKind = Literal["mcp", "editor", "agent", "hooks", "instructions", "skill", "compose", "other"]
"""`mcp`: servers of an MCP client. `editor`, `agent`: settings of an editor's or a command-line agent.

`hooks`: commands that such a tool runs by itself. `instructions`: AGENTS.md and its kind. `skill`: SKILL.md. `compose`:
container files. `other`: crew, langgraph and agent definitions, and any other JSON, YAML or TOML.
"""


@dataclass(kw_only=True)
class Document:
    """The text of one file, and what its data are if it has any. Read-only by agreement."""

    path: str
    kind: DocumentKind
    text: str
    """With `\\n` at the end of every line, whatever the file has."""
    root: Node | None = None
    """The tree of the JSON, YAML or TOML, or of the front matter of prose; None if there is none."""
    prose: bool = False
    """Whether the text is meant for a reader: Markdown and its like."""

    @cached_property
    def lines(self) -> list[str]:
        """The text by lines, without their ends."""
        return self.text.split("\n")

    @cached_property
    def _offsets(self) -> Lines:
        return Lines(self.text)

    def place(self, start: int, end: int) -> Place:
        """The place of `text[start:end]`."""
        return self._offsets.place(start, end)

    def values(self) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Every value with the keys that lead to it, the outer before the inner, in the order of the file."""
        if self.root is not None:
            yield from self.root.walk()

    def finding(  # noqa: PLR0913  # what a finding says that the place does not
        self,
        rule: Rule,
        where: int | Place | Node | Entry,
        message: str,
        *,
        severity: Severity | None = None,
        confidence: Confidence = "high",
        function: str = "",
        fix: str = "",
    ) -> Finding:
        """A finding of a rule at a line, a place, a value or a key. `function` tells findings of equal text apart."""
        if isinstance(where, int):
            place = Place(line=where, end_line=where)
        else:
            place = where if isinstance(where, Place) else where.place
        return Finding(
            rule=rule.id,
            severity=severity or rule.severity,
            path=self.path,
            place=place,
            message=message,
            confidence=confidence,
            function=function,
            snippet=snippet(self.lines, place.line, place.end_line or place.line),
            fix=fix,
        )
