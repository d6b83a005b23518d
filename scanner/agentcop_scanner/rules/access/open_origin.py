"""Any web page may call the service as its user.

## What it does
Reports cross-origin rules that allow every origin together with credentials, and MCP servers whose check of the Origin
and Host headers is switched off.

## Why is this bad?
A page that the user merely visits can then call the agent or the tool server with the user's cookies, or reach a server
that listens on this machine only, by pointing a name of its own at it.

## Example
```python
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
```

## Use instead
```python
app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_credentials=True)
```

## References
- CWE-942: https://cwe.mitre.org/data/definitions/942.html
- CWE-1385: https://cwe.mitre.org/data/definitions/1385.html
- OWASP Top 10 for Agentic Applications, ASI07 Insecure Inter-Agent Communication
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import PatternRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_EVERY: Final = frozenset({"*", ".*", "^.*$", "https?://.*", ".+", "http.*"})
_ORIGINS: Final = frozenset(
    {"allow_origins", "allow_origin_regex", "origins", "cors_allowed_origins", "allowed_origins"}
)
_CREDENTIALS: Final = frozenset({"allow_credentials", "supports_credentials", "cors_credentials"})


def _check(module: Module) -> Iterator[Finding]:
    for call in module.nodes.of(ast.Call):
        origins = [keyword.value for keyword in call.keywords if keyword.arg in _ORIGINS]
        credentials = [keyword.value for keyword in call.keywords if keyword.arg in _CREDENTIALS]
        if any(module.constant(value) is True for value in credentials) and any(
            _is_every(module, value) for value in origins
        ):
            message = "Any web page may call this service with its user's credentials."
            yield module.finding(RULE, call, message, confidence="high", fix="Name the origins.")
        for keyword in call.keywords:
            if keyword.arg == "enable_dns_rebinding_protection" and module.constant(keyword.value) is False:
                message = "The check of Origin and Host is off: any web page may reach this server."
                yield module.finding(RULE, keyword.value, message, confidence="high", fix="Name the hosts and origins.")


def _is_every(module: Module, value: ast.expr) -> bool:
    if isinstance(value, ast.Name) and value.id in module.assigned:
        value = module.assigned[value.id]
    items = value.elts if isinstance(value, ast.List | ast.Tuple | ast.Set) else [value]
    return any(module.constant(item) in _EVERY for item in items)


RULE = PatternRule(
    id="AC183", slug="open-origin", severity="MEDIUM", cwe=(942, 1385), asi=(7,), doc=__doc__, check=_check
)
