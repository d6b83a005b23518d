"""One file that is not Python, as its rules see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from agentcop_scanner.finding import Finding, Place
from agentcop_scanner.source.snippet import snippet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    data: object = None
    """The parsed JSON, YAML or TOML: dicts, lists, strings, numbers; None for prose; a list of several documents."""
    key_lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict)
    """Line of each value of `data` by its way from the top: `("mcpServers", "files", "args", 0)`."""

    @cached_property
    def lines(self) -> list[str]:
        """The text by lines, without their ends."""
        return self.text.split("\n")

    def line(self, keys: tuple[str | int, ...]) -> int:
        """The line that a value stands on, or the nearest value around it; 1 if nothing is known."""
        while keys and keys not in self.key_lines:
            keys = keys[:-1]
        return self.key_lines.get(keys, 1)

    def values(self) -> Iterator[tuple[tuple[str | int, ...], object]]:
        """Every value with its way from the top, the outer before the inner, in the order of the file."""
        todo: list[tuple[tuple[str | int, ...], object]] = [((), self.data)]
        while todo:
            keys, value = todo.pop()
            yield keys, value
            if isinstance(value, dict):
                todo += [((*keys, key), item) for key, item in reversed(value.items())]
            elif isinstance(value, list):
                todo += [((*keys, index), item) for index, item in reversed(list(enumerate(value)))]

    def finding(  # noqa: PLR0913  # what a finding says that the place does not
        self,
        rule: Rule,
        where: int | tuple[str | int, ...] | Place,
        message: str,
        *,
        severity: Severity | None = None,
        confidence: Confidence = "high",
        function: str | None = None,
        fix: str = "",
    ) -> Finding:
        """A finding of a rule at a line, at a value of `data` by its way from the top, or at a place.

        `function`, which tells findings of equal text apart, is the way to the value unless given.
        """
        keys = where if isinstance(where, tuple) else ()
        place = (
            where if isinstance(where, Place) else Place(line=self.line(where) if isinstance(where, tuple) else where)
        )
        return Finding(
            rule=rule.id,
            severity=severity or rule.severity,
            path=self.path,
            place=place,
            message=message,
            confidence=confidence,
            function=".".join(map(str, keys)) if function is None else function,
            snippet=snippet(self.lines, place.line, place.end_line or place.line),
            fix=fix,
        )
