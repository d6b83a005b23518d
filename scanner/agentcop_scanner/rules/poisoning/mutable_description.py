"""Description that can change after it was reviewed.

## What it does
Reports a tool's description or docstring that is fetched from the network or read from a file outside the package when
the program runs.

## Why is this bad?
What was reviewed is not what the model is told. Whoever can change the page or the file can poison the tool at any
later time, for every user at once, and no diff shows it.

## Example
```python
lookup.__doc__ = requests.get("https://config.example/lookup.txt").text
```

## Use instead
Write the description in the code, or read it from a file of the same package and version.

## References
- CWE-494: https://cwe.mitre.org/data/definitions/494.html
- OWASP Top 10 for Agentic Applications, ASI04 Agentic Supply Chain
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

_FETCHES: Final = words(
    "requests.get requests.request requests.post httpx.get httpx.request httpx.post urllib.request.urlopen urlopen"
    " urllib3.request"
)
_TOOL_CALLS: Final = words(
    "tool Tool StructuredTool FunctionTool from_function from_defaults function_tool BaseTool add_tool"
)
_OUTSIDE: Final = ("/", "~", "\\\\", "$")


def _check(module: Module) -> Iterator[Finding]:
    for node, value in _descriptions(module):
        why = _origin(module, value)
        if why:
            yield module.finding(RULE, node, f"What the model is told about the tool is {why} at run time.")


def _descriptions(module: Module) -> Iterator[tuple[ast.AST, ast.expr]]:
    for assign in module.nodes.of(ast.Assign):
        for target in assign.targets:
            if isinstance(target, ast.Attribute) and (target.attr == "__doc__" or _is_description(target)):
                yield assign, assign.value
    for call in module.nodes.of(ast.Call):
        name = module.resolve(call.func).rpartition(".")[2] or getattr(call.func, "attr", "")
        if name in _TOOL_CALLS or name.endswith("Tool"):
            for keyword in call.keywords:
                if keyword.arg == "description":
                    yield call, keyword.value


def _is_description(target: ast.Attribute) -> bool:
    """`some_tool.description`, not the description of anything else."""
    owner = target.value.id if isinstance(target.value, ast.Name) else getattr(target.value, "attr", "")
    return target.attr == "description" and "tool" in str(owner).lower()


def _origin(module: Module, value: ast.expr) -> str:
    """How a value comes from elsewhere: `fetched from the network`; "" if it does not."""
    if isinstance(value, ast.Name) and value.id in module.assigned:
        value = module.assigned[value.id]
    for node in ast.walk(value):
        if not isinstance(node, ast.Call):
            continue
        name = module.resolve(node.func)
        if name in _FETCHES:
            return "fetched from the network"
        if name == "open" and node.args and _outside(module, node.args[0]):
            return "read from a file outside the package"
        if (
            isinstance(node.func, ast.Attribute)
            and node.func.attr == "read_text"
            and _outside_path(module, node.func.value)
        ):
            return "read from a file outside the package"
    return ""


def _outside(module: Module, path: ast.expr) -> bool:
    text = module.constant(path)
    if isinstance(text, str):
        return text.startswith(_OUTSIDE)
    return any(
        module.resolve(node).startswith(("os.environ", "os.getenv"))
        for node in ast.walk(path)
        if isinstance(node, ast.Attribute)
    )


def _outside_path(module: Module, path: ast.expr) -> bool:
    """`Path("/var/…")`, `Path.home() / …`."""
    for node in ast.walk(path):
        if isinstance(node, ast.Call):
            name = module.resolve(node.func)
            if name.endswith("Path.home"):
                return True
            if name.endswith("Path") and node.args and _outside(module, node.args[0]):
                return True
    return False


RULE = PatternRule(
    id="AC205",
    slug="mutable-description",
    severity="HIGH",
    cwe=(494,),
    asi=(4,),
    doc=__doc__,
    check=_check,
)
