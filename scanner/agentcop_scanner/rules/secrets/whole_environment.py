"""Whole environment handed to a tool server.

## What it does
Reports servers and sandboxes of an agent that are started with a copy of all environment variables.

## Why is this bad?
The environment of an agent holds the keys of its model, its database and its cloud. A server that needs one of them
gets them all, and so does whoever poisons the server.

## Example
```python
StdioServerParameters(command="node", args=["server.js"], env={**os.environ})
```

## Use instead
```python
StdioServerParameters(command="node", args=["server.js"], env={"PATH": os.environ["PATH"]})
```

## References
- CWE-526: https://cwe.mitre.org/data/definitions/526.html
- OWASP Top 10 for Agentic Applications, ASI03 Identity and Privilege Abuse
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_STARTERS: Final = words(
    "StdioServerParameters MCPServerStdio StdioServerParams MCPStdioTool StdioConnection StdioTransport stdio_client"
    " NpxStdioTransport UvxStdioTransport PythonStdioTransport McpStdioServerConfig StdioServer MCPServerStdioParams"
)
_ENVIRONMENT: Final = frozenset({"os.environ", "environ"})


def _check(module: Module) -> Iterator[Finding]:
    for call in module.nodes.of(ast.Call):
        if module.resolve(call.func).rpartition(".")[2] not in _STARTERS:
            continue
        given = [keyword.value for keyword in call.keywords if keyword.arg == "env"]
        for mapping in (node for node in ast.walk(call) if isinstance(node, ast.Dict)):
            given += [
                value for key, value in zip(mapping.keys, mapping.values, strict=True) if module.constant(key) == "env"
            ]
        for value in given:
            if _is_whole(module, value):
                message = "The server gets every environment variable of this process."
                yield module.finding(RULE, value, message, confidence="high", fix="Name the ones it needs.")


def _is_whole(module: Module, value: ast.expr) -> bool:
    """`os.environ`, a copy of it, or a mapping that begins with it."""
    if isinstance(value, ast.Name) and value.id in module.assigned:
        value = module.assigned[value.id]
    if module.resolve(value) in _ENVIRONMENT:
        return True
    if isinstance(value, ast.Dict):
        return any(
            key is None and module.resolve(item) in _ENVIRONMENT
            for key, item in zip(value.keys, value.values, strict=True)
        )
    if isinstance(value, ast.BinOp):
        return module.resolve(value.left) in _ENVIRONMENT or module.resolve(value.right) in _ENVIRONMENT
    if isinstance(value, ast.Call):
        name = module.resolve(value.func)
        copied = name == "dict" and value.args and module.resolve(value.args[0]) in _ENVIRONMENT
        return bool(copied) or name in {"os.environ.copy", "environ.copy"}
    return False


RULE = PatternRule(
    id="AC174", slug="whole-environment", severity="LOW", cwe=(526,), asi=(3,), doc=__doc__, check=_check
)
