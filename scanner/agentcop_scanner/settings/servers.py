"""The MCP servers that a file of settings names, whichever client's form it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.data.node import Entry, Node
    from agentcop_scanner.source.document import Document

_TABLES: Final = frozenset({"mcpservers", "mcp_servers", "mcp-servers", "servers", "context_servers", "mcp"})
_ALSO_ALONE: Final = frozenset({"servers", "mcp"})
"""Ordinary words elsewhere: only a server with a command or address under them counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server of one client."""

    name: str
    entry: Entry
    node: Node

    @property
    def command(self) -> tuple[tuple[str, Node], ...]:
        """The command's words, program first, each with where it stands."""
        words: list[tuple[str, Node]] = []
        command = self.node.get("command")
        inner: Node | None = None
        if command is not None and command.entries:  # {"command": {"path": …, "args": […]}}
            inner = command.get("args")
            command = command.get("path")
        if command is not None and isinstance(command.scalar, str):
            # One string may be a whole command line; a program's path with spaces in it is split too: no harm here.
            words += [(word, command) for word in command.scalar.split()]
        elif command is not None:
            words += [(item.scalar, item) for item in command.items if isinstance(item.scalar, str)]
        for arguments in (inner, self.node.get("args")):
            if arguments is not None:
                words += [(item.scalar, item) for item in arguments.items if isinstance(item.scalar, str)]
        return tuple(words)

    @property
    def urls(self) -> tuple[Node, ...]:
        """The addresses that it is reached at."""
        found = (self.node.get(key) for key in ("url", "serverUrl", "httpUrl", "endpoint", "uri"))
        return tuple(node for node in found if node is not None and isinstance(node.scalar, str))


def servers(document: Document) -> Iterator[Server]:
    """Every server in the file, in its order; none of a file that names none."""
    for path, node in document.values():
        if not path or path[-1].lower() not in _TABLES or not node.entries:
            continue
        if path[-1].lower() in _ALSO_ALONE and document.kind not in {"mcp", "editor", "agent"}:
            continue
        for entry in node.entries:
            if any(entry.node.get(key) is not None for key in ("command", "url", "serverUrl", "httpUrl", "args")):
                yield Server(name=entry.key, entry=entry, node=entry.node)
