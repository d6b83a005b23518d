"""MCP server without a fixed version.

## What it does
Looks at the commands of MCP servers in the settings of clients and editors, and reports a package (`npx`, `uvx`,
`pipx run`, …) or container image that is fetched in whatever version is newest.

## Why is this bad?
The server runs on your machine with your rights, and its tools are what the model is told. Whoever takes over the
package ships code and descriptions to every user at the next start, without anybody having looked at them.

## Example
```json
{"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/srv/data"]}
```

## Use instead
```json
{"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem@2025.8.21", "/srv/data"]}
```
An image is fixed by its digest, `name@sha256:…`.

## References
- CWE-1357: https://cwe.mitre.org/data/definitions/1357.html
- OWASP Top 10 for Agentic Applications, ASI04 Agentic Supply Chain
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_scanner.rule import ConfigRule
from agentcop_scanner.settings.packages import unpinned
from agentcop_scanner.settings.servers import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.document import Document


def _check(document: Document) -> Iterator[Finding]:
    for server in servers(document):
        words = server.command
        name = unpinned([word for word, _ in words])
        if name:
            where = next((node for word, node in words if name in word), server.node)
            message = f'The server "{server.name[:60]}" runs {name[:100]} in whatever version is newest.'
            fix = f"Fix the version: {name[:100]}@sha256:… or a release's number."
            yield document.finding(RULE, where, message, function=server.name[:60], fix=fix)


RULE = ConfigRule(
    id="AC211", slug="unpinned-server", severity="MEDIUM", cwe=(1357,), asi=(4,), doc=__doc__, check=_check
)
