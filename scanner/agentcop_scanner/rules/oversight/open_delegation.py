"""Agent that may hand anything on and run code.

## What it does
Reports agents that may delegate to any other (`allow_delegation=True`) and hold tools that run code or commands, and
agents with such tools that hand over to one another in a circle.

## Why is this bad?
A request that one agent would refuse reaches the one with the shell by way of another, which passes it on as its own
wish. In a circle it may go round until somebody says yes.

## Example
```python
Agent(role="lead", allow_delegation=True, tools=[CodeInterpreterTool()])
```

## Use instead
Give code and commands to one agent that delegates to nobody and takes a narrow, typed request.

## References
- CWE-269: https://cwe.mitre.org/data/definitions/269.html
- OWASP Top 10 for Agentic Applications, ASI07 Insecure Inter-Agent Communication and ASI08 Cascading Failures
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import PatternRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_RUNS: Final = re.compile(
    r"code_?interpreter|shell|python_?repl|code_?exec|bash|terminal|computer_?tool|local_?shell|run_?code|run_?command|execute_?(?:code|command|python)",
    re.IGNORECASE,
)


def _check(module: Module) -> Iterator[Finding]:
    agents: dict[str, tuple[ast.Call, set[str]]] = {}
    for call in module.nodes.of(ast.Call):
        delegates = module.constant(module.argument(call, "allow_delegation")) is True
        if delegates and (
            _has_code(module, call) or module.constant(module.argument(call, "allow_code_execution")) is True
        ):
            yield module.finding(RULE, call, "The agent may delegate to any other, and runs code.", confidence="high")
    for name, value in module.assigned.items():
        if isinstance(value, ast.Call) and module.argument(value, "handoffs") is not None:
            agents[name] = (value, _named(module.argument(value, "handoffs")))
        elif isinstance(value, ast.Call) and _has_code(module, value):
            agents[name] = (value, set())
    for owner, given in _added(module):
        if owner in agents:
            agents[owner][1].update(given)
    for name, (call, _) in agents.items():
        if _has_code(module, call) and name in _reachable(agents, name):
            message = "The agent runs code and can be handed its own request back by way of others."
            yield module.finding(RULE, call, message)


def _has_code(module: Module, call: ast.Call) -> bool:
    tools = module.argument(call, "tools")
    return tools is not None and any(
        _RUNS.search(node.id if isinstance(node, ast.Name) else node.attr)
        for node in ast.walk(tools)
        if isinstance(node, ast.Name | ast.Attribute)
    )


def _named(value: ast.expr | None) -> set[str]:
    return {node.id for node in ast.walk(value) if isinstance(node, ast.Name)} if value is not None else set()


def _added(module: Module) -> Iterator[tuple[str, set[str]]]:
    """`a.handoffs = [b]`, `a.handoffs.append(b)`."""
    for assign in module.nodes.of(ast.Assign):
        for target in assign.targets:
            if isinstance(target, ast.Attribute) and target.attr == "handoffs" and isinstance(target.value, ast.Name):
                yield target.value.id, _named(assign.value)
    for call in module.nodes.of(ast.Call):
        owner, _, method = module.resolve(call.func).rpartition(".")
        if method in {"append", "extend"} and owner.endswith(".handoffs") and call.args:
            yield owner.removesuffix(".handoffs"), _named(call.args[0])


def _reachable(agents: dict[str, tuple[ast.Call, set[str]]], start: str) -> set[str]:
    found: set[str] = set()
    todo = list(agents[start][1])
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(agents[name][1] if name in agents else ())
    return found


RULE = PatternRule(
    id="AC194", slug="open-delegation", severity="MEDIUM", cwe=(269,), asi=(7, 8), doc=__doc__, check=_check
)
