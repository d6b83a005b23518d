"""Service that listens on every interface.

## What it does
Reports servers of agents and tools that bind to `0.0.0.0` or `::`. HIGH if an endpoint of the same module lets
anybody in.

## Why is this bad?
What was meant for this machine answers to the office network, the café and, with a forwarded port, to everybody. Tool
servers and agent consoles are rarely made for that.

## Example
```python
uvicorn.run(app, host="0.0.0.0", port=8000)
```

## Use instead
```python
uvicorn.run(app, host=os.environ.get("HOST", "127.0.0.1"), port=8000)
```
In a container, where the address must be open, let the publishing of the port say who may come in.

## References
- CWE-1327: https://cwe.mitre.org/data/definitions/1327.html
- OWASP Top 10 for Agentic Applications, ASI03 Identity and Privilege Abuse
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.rules.access import no_authentication
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding, Severity
    from agentcop_scanner.source.module import Module

_ANY: Final = frozenset({"0.0.0.0", "::", "[::]"})  # noqa: S104  # what is looked for
_STARTS: Final = words(
    "run run_app serve start launch FastMCP Config Server create_server start_server run_async run_simple listen"
    " run_http_async run_sse_async run_streamable_http_async launch_server WSGIServer HTTPServer ThreadingHTTPServer"
    " make_server run_server start_http_server A2AServer AgentServer"
)
_NAMES: Final = words("host server_name bind address bind_host listen_host hostname addr interface")


def _check(module: Module) -> Iterator[Finding]:
    open_to_all = None
    for node in _bound(module):
        if open_to_all is None:
            open_to_all = any(True for _ in no_authentication.RULE.check(module))
        message = "The server listens on every interface of the machine."
        severity: Severity = "HIGH" if open_to_all else "MEDIUM"
        yield module.finding(RULE, node, message, severity=severity, fix="Listen on 127.0.0.1.")


def _bound(module: Module) -> Iterator[ast.Call]:
    for call in module.nodes.of(ast.Call):
        name = module.resolve(call.func).rpartition(".")[2] or getattr(call.func, "attr", "")
        if name in _STARTS:
            given = [keyword.value for keyword in call.keywords if keyword.arg in _NAMES]
            positional = call.args[:2] if name in {"create_server", "start_server", "make_server", "run_simple"} else []
            if any(module.constant(value) in _ANY for value in (*given, *positional)):
                yield call
                continue
        if name in {"bind", "HTTPServer", "ThreadingHTTPServer", "create_server"} and call.args:
            address = call.args[0]
            if isinstance(address, ast.Tuple) and address.elts and _is_any(module, address.elts[0], name):
                yield call


def _is_any(module: Module, host: ast.expr, name: str) -> bool:
    value = module.constant(host)
    return value in _ANY or (value == "" and name != "bind")


RULE = PatternRule(
    id="AC182", slug="all-interfaces", severity="MEDIUM", cwe=(1327,), asi=(3,), doc=__doc__, check=_check
)
