"""Generated code runs on this machine without isolation.

## What it does
Finds executors of generated code that are told to run here: `use_docker=False`, `executor_type="local"`,
`unsafe_mode=True`, `code_execution_mode="unsafe"`, and code agents left at a default that does.

## Why is this bad?
The code is written by a model. Without a container or virtual machine it has the files, keys and network of whoever
runs the agent.

## Example
    agent = UserProxyAgent("runner", code_execution_config={"use_docker": False})

## Use instead
    agent = UserProxyAgent("runner", code_execution_config={"use_docker": True})

## References
- https://cwe.mitre.org/data/definitions/693.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.rule import PatternRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_UNSAFE: dict[str, tuple[object, ...]] = {
    "use_docker": (False,),
    "executor_type": ("local",),
    "unsafe_mode": (True,),
    "code_execution_mode": ("unsafe",),
    "execution_mode": ("unsafe", "local"),
    "unsafe_code_execution": (True,),
    "restrict_python": (False,),
    "sandboxed": (False,),
    "use_sandbox": (False,),
}


def _said(name: object, value: object) -> str:
    unsafe = _UNSAFE.get(name) if isinstance(name, str) else None
    if unsafe is None or not any(value == other and type(value) is type(other) for other in unsafe):
        return ""
    return f"{name}={value!r} runs generated code on this machine."


def _check(module: Module) -> Iterator[Finding]:
    for call in module.nodes.of(ast.Call):
        for keyword in call.keywords:
            if said := _said(keyword.arg, module.constant(keyword.value)):
                yield module.finding(RULE, keyword.value, said, confidence="high")
    for table in module.nodes.of(ast.Dict):
        for key, value in zip(table.keys, table.values, strict=True):
            if key is not None and (said := _said(module.constant(key), module.constant(value))):
                yield module.finding(RULE, value, said, confidence="high")


RULE = PatternRule(
    id="AC106",
    slug="local-executor",
    severity="HIGH",
    cwe=(693,),
    asi=(5,),
    doc=__doc__,
    check=_check,
)
