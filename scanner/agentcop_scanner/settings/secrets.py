"""Values of settings with the names they stand under, and which of them are secrets handed to an MCP server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.settings.servers import servers
from agentcop_scanner.text.secret import is_secret_value, typed_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.data.node import Node
    from agentcop_scanner.finding import Place
    from agentcop_scanner.source.document import Document


def named_values(document: Document) -> Iterator[tuple[str, str, Place]]:
    """Every string with its name and place; of `{"name": "TOKEN", "value": "…"}` the name is what `name` says."""
    for path, node in document.values():
        if isinstance(node.scalar, str) and path:
            yield path[-1], node.scalar, node.place
        value = node.get("value")
        if node.text("name") and value is not None and isinstance(value.scalar, str):
            yield node.text("name"), value.scalar, value.place


def servers_secrets(document: Document) -> Iterator[tuple[Place, str]]:
    """Where a server's environment, arguments, headers or address hold a secret, and the text it stands in."""
    for server in servers(document):
        for path, node in server.node.walk():
            if isinstance(node.scalar, str) and _is_secret(path[-1] if path else "", node.scalar):
                yield node.place, node.scalar
        yield from _arguments(server.command)


def _is_secret(name: str, value: str) -> bool:
    return is_secret_value(name, value) or next(typed_secrets(value), None) is not None


def _arguments(words: tuple[tuple[str, Node], ...]) -> Iterator[tuple[Place, str]]:
    """`--api-key VALUE`, `--api-key=VALUE`, `-e NAME=VALUE`, `--header "Name: VALUE"`."""
    before = ""
    for word, node in words:
        name, equals, value = word.lstrip("-").partition("=")
        if not equals:
            name, equals, value = word.partition(":")
        if equals and is_secret_value(name, value.strip()):
            yield node.place, value.strip()
        elif before.startswith("-") and is_secret_value(before.lstrip("-"), word):
            yield node.place, word
        before = word
