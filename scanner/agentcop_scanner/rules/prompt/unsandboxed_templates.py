"""Templates from data are compiled without a sandbox.

## What it does
Finds `jinja2.Environment()` and `NativeEnvironment()` that load no templates from files and compile text that is
not constant.

## Why is this bad?
Templates that come from a prompt library, a saved pipeline or a user are programs. In a plain environment they
reach every attribute of what they are given and from there the interpreter.

## Example
    environment = NativeEnvironment()
    if environment.from_string(route["condition"]).render(**values):
        ...

## Use instead
    environment = SandboxedEnvironment()
    if environment.from_string(route["condition"]).render(**values) == "True":
        ...

## References
- https://jinja.palletsprojects.com/en/stable/sandbox/
- https://cwe.mitre.org/data/definitions/1336.html
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

_PLAIN = (
    "jinja2.Environment",
    "jinja2.environment.Environment",
    "jinja2.nativetypes.NativeEnvironment",
    "jinja2.NativeEnvironment",
)
_COMPILES = ("from_string", "parse", "compile", "compile_expression")


def _check(module: Module) -> Iterator[Finding]:
    made = list(module.calls(*_PLAIN))
    if not made or not _compiles_data(module):
        return
    branches: list[ast.If | ast.IfExp] = [*module.nodes.of(ast.If), *module.nodes.of(ast.IfExp)]
    chosen = {call for node in branches for call in _asked_for(node)}
    for call in made:
        if call in chosen or module.argument(call, "loader", 0) is not None:
            continue
        yield module.finding(
            RULE, call, "This environment compiles templates that are not constant, without a sandbox."
        )


def _compiles_data(module: Module) -> bool:
    return any(
        call.args and module.constant(call.args[0]) is None
        for name in _COMPILES
        for call in module.methods_called.get(name, ())
        if "env" in ast.unparse(call.func).lower() or name == "from_string"
    )


def _asked_for(node: ast.If | ast.IfExp) -> Iterator[ast.Call]:
    """The calls in a branch that is taken only if somebody asked for what is unsafe."""
    spelled = ast.unparse(node.test).lower()
    if not any(word in spelled for word in ("unsafe", "trust", "allow", "sandbox")):
        return
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            yield part


RULE = PatternRule(
    id="AC156",
    slug="unsandboxed-templates",
    severity="HIGH",
    cwe=(1336,),
    asi=(5,),
    doc=__doc__,
    check=_check,
)
