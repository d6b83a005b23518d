"""Agent definition that lets the model run code on this machine.

## What it does
Looks in the YAML, JSON and TOML that define agents (crews, graphs, teams) for switches that run the model's code
without isolation: `allow_code_execution: true`, `code_execution_mode: unsafe`, `use_docker: false`,
`allow_dangerous_code`.

## Why is this bad?
Whatever gets text in front of the agent, a page, a mail, an issue, then runs code with the rights of your process.

## Example
```yaml
coder:
  role: Engineer
  allow_code_execution: true
  code_execution_mode: unsafe
```

## Use instead
```yaml
coder:
  role: Engineer
  allow_code_execution: true
  code_execution_mode: safe   # in a container
```

## References
- CWE-94: https://cwe.mitre.org/data/definitions/94.html
- OWASP Top 10 for Agentic Applications, ASI05 Unexpected Code Execution
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import ConfigRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.data.node import Node
    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.document import Document

_ON: Final = frozenset(
    {
        "allow_dangerous_code",
        "allow_unsafe_code",
        "unsafe_mode",
        "allow_dangerous_requests",
        "allow_dangerous_deserialization",
    }
)
_MODES: Final[dict[str, frozenset[str]]] = {
    "code_execution_mode": frozenset({"unsafe"}),
    "executor_type": frozenset({"local"}),
    "code_executor": frozenset({"local", "unsafe"}),
    "executor": frozenset({"local-commandline-code-executor", "local_command_line"}),
}


def _check(document: Document) -> Iterator[Finding]:
    for path, node in document.values():
        said = _said(path, node) if path else ""
        if said:
            yield document.finding(
                RULE, node, f"The agent runs code on this machine: {said}.", function=".".join(path)[-120:]
            )
        yield from _crew(document, path, node)


def _crew(document: Document, path: tuple[str, ...], node: Node) -> Iterator[Finding]:
    """`allow_code_execution` runs in a container if the mode says so, which it must."""
    allowed = node.get("allow_code_execution")
    mode = node.text("code_execution_mode").lower()
    if allowed is not None and _is_true(allowed) and mode not in {"safe", "unsafe"}:
        message = "The agent runs code: allow_code_execution without code_execution_mode: safe."
        yield document.finding(RULE, allowed, message, confidence="medium", function=".".join(path)[-120:])


def _said(path: tuple[str, ...], node: Node) -> str:
    name = path[-1].lower().replace("-", "_")
    if name in _ON and _is_true(node):
        return f"{path[-1]} is on"
    if isinstance(node.scalar, str) and node.scalar.lower() in _MODES.get(name, ()):
        return f"{path[-1]} is {node.scalar[:40]}"
    if name == "use_docker" and node.scalar is False:
        return "use_docker is off"
    return ""


def _is_true(node: Node) -> bool:
    return node.scalar is True or (isinstance(node.scalar, str) and node.scalar.lower() == "true")


RULE = ConfigRule(id="AC215", slug="code-execution", severity="HIGH", cwe=(94,), asi=(5,), doc=__doc__, check=_check)
