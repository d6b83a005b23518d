"""Secret in the settings of an MCP server.

## What it does
Looks at the environment, arguments, headers and address that a client's settings give to an MCP server, and reports a
key, token or password that is written out there. A finding never quotes it.

## Why is this bad?
These files are shared: committed with the project, synchronised between machines, pasted into tickets. Agents read them
too, and a poisoned tool asks for exactly this file.

## Example
```json
{"env": {"GITHUB_TOKEN": "ghp_…"}}
```

## Use instead
```json
{"env": {"GITHUB_TOKEN": "${env:GITHUB_TOKEN}"}}
```
Or `"${input:token}"` where the client asks for it. Revoke the one that was written here.

## References
- CWE-798: https://cwe.mitre.org/data/definitions/798.html
- OWASP Top 10 for Agentic Applications, ASI03 Identity and Privilege Abuse
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agentcop_core.redact.secrets import marker
from agentcop_scanner.rule import ConfigRule
from agentcop_scanner.settings.secrets import servers_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.document import Document

_FIX = "Refer to an environment variable or the client's own prompt, and revoke the secret that was written here."


def _check(document: Document) -> Iterator[Finding]:
    seen: set[tuple[int, int]] = set()
    for place, value in servers_secrets(document):
        if (place.line, place.col) in seen:
            continue
        seen.add((place.line, place.col))
        found = document.finding(RULE, place, "A secret is written into the settings of a server.", fix=_FIX)
        yield replace(found, snippet=found.snippet.replace(value, marker("secret")))


RULE = ConfigRule(id="AC213", slug="server-secret", severity="HIGH", cwe=(798,), asi=(3,), doc=__doc__, check=_check)
