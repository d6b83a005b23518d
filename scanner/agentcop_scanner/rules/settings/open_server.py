"""MCP server that anybody can be, or that anybody may add.

## What it does
Reports MCP servers that are reached over plain `http` on another machine, and settings that trust every server a
project's files name.

## Why is this bad?
Over plain http anybody on the way can read the calls with their tokens, and can answer in the server's name: with tool
descriptions of his own. A client that starts every server it finds in a repository runs what a pull request adds.

## Example
```json
{"mcpServers": {"crm": {"url": "http://crm.example.com/mcp"}}}
```

## Use instead
```json
{"mcpServers": {"crm": {"url": "https://crm.example.com/mcp"}}}
```
Name the servers you trust, one by one.

## References
- CWE-319: https://cwe.mitre.org/data/definitions/319.html
- OWASP Top 10 for Agentic Applications, ASI07 Insecure Inter-Agent Communication
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from agentcop_scanner.rule import ConfigRule
from agentcop_scanner.settings.servers import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.document import Document

_TRUSTING: Final = frozenset(
    {"enableallprojectmcpservers", "enable_all_project_mcp_servers", "chat.mcp.autostart", "trustallservers"}
)
_LISTS: Final = frozenset({"enabledmcpjsonservers", "allowedmcpservers", "trustedservers", "mcp.allowed"})
_ALWAYS: Final = frozenset({"always", "all", "true"})


def _check(document: Document) -> Iterator[Finding]:
    for server in servers(document):
        addresses = [*server.urls, *(node for word, node in server.command if word.lower().startswith("http://"))]
        for node in addresses:
            address = str(node.scalar)
            host = _plain_host(next((word for word in address.split() if "://" in word), address))
            if host:
                message = f'The server "{server.name[:60]}" is reached over plain http at {host[:100]}.'
                yield document.finding(RULE, node, message, function=server.name[:60], fix="Use https.")
                break
    for path, node in document.values():
        name = path[-1].lower() if path else ""
        trusts = name in _TRUSTING and (node.scalar is True or str(node.scalar).lower() in _ALWAYS)
        if trusts or (name in _LISTS and "*" in node.strings()):
            message = f"{path[-1]} trusts every server that a project names."
            yield document.finding(RULE, node, message, fix="Name the servers you trust, one by one.")


def _plain_host(address: str) -> str:
    """The host of a plain http address on another machine; "" for https, this machine, or a name of this network."""
    try:
        parts = urlsplit(address.strip())
        host = (parts.hostname or "").lower()
    except ValueError:
        return ""
    if parts.scheme not in {"http", "ws"} or not host or any(char in host for char in "${}<>"):
        return ""
    if "." not in host and ":" not in host:
        return ""  # localhost, or a service of the same compose file
    if host.endswith((".localhost", "host.docker.internal")):
        return ""
    try:
        return "" if ipaddress.ip_address(host).is_loopback else host
    except ValueError:
        return host


RULE = ConfigRule(id="AC212", slug="open-server", severity="HIGH", cwe=(319,), asi=(7,), doc=__doc__, check=_check)
