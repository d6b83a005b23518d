"""One file that is not Python, as its rules see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from agentcop_scanner.data.jsonc import read_json
from agentcop_scanner.data.node import DataError, Lines, Node
from agentcop_scanner.data.toml_tree import read_toml
from agentcop_scanner.data.yaml_tree import read_yaml
from agentcop_scanner.finding import Place
from agentcop_scanner.source.classify import classify, data_language

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
    root: Node | None = None
    """The tree of the JSON, YAML or TOML, or of the front matter of a Markdown file; None for mere prose."""
    body: int = 0
    """Of a Markdown file with front matter: the offset where the prose begins."""
    lines_of: Lines = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.lines_of = Lines(self.text)

    @cached_property
    def lines(self) -> list[str]:
        """The text by lines, without their ends."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def place(self, start: int, end: int) -> Place:
        """The place of `text[start:end]`."""
        return self.lines_of.place(start, end)


def read_document(path: str, text: str) -> Document | None:
    """The document in a file; None if the path is none that a rule reads. Raises DataError if its data are malformed."""
    kind = classify(path)
    if kind is None:
        return None
    match data_language(path):
        case "json":
            return Document(path=path, kind=kind, text=text, root=read_json(text))
        case "yaml":
            return Document(path=path, kind=kind, text=text, root=read_yaml(text))
        case "toml":
            return Document(path=path, kind=kind, text=text, root=read_toml(text))
        case _:
            return _prose(path, kind, text)


def _prose(path: str, kind: DocumentKind, text: str) -> Document:
    """Markdown and its like, perhaps with front matter; front matter that is no YAML is prose like the rest."""
    first = text.removeprefix("\ufeff").lstrip("\n")
    if not first.startswith(("---\n", "---\r\n")):
        return Document(path=path, kind=kind, text=text)
    start = text.index("---")
    end = text.find("\n---", start + 3)
    if end < 0:
        return Document(path=path, kind=kind, text=text)
    # The lines before are kept empty, so that places in the front matter are places in the file.
    front = "\n" * text.count("\n", 0, start + 4) + text[start + 4 : end]
    try:
        root = read_yaml(front)
    except DataError:
        return Document(path=path, kind=kind, text=text)
    return Document(path=path, kind=kind, text=text, root=root, body=end + 4)
