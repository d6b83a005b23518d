"""One file that is not Python, as its rules see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DocumentKind = Literal["mcp", "editor", "agent", "hooks", "instructions", "skill", "compose", "other"]
"""`mcp`: servers of an MCP client. `editor`, `agent`: settings of an editor's or a command-line agent.

`hooks`: commands that such a tool runs by itself. `instructions`: AGENTS.md and its kind. `skill`: SKILL.md. `compose`:
container files. `other`: crew, langgraph and agent definitions, and any other JSON, YAML or TOML.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The text of one file, and what its data are if it has any."""

    path: str
    kind: DocumentKind
    text: str
    data: object = None
    """The parsed JSON, YAML or TOML: dicts, lists, strings, numbers; None for prose."""
