"""Secret handed to the model.

## What it does
Follows secrets from the environment (`os.environ["STRIPE_API_KEY"]`, `getenv("DB_PASSWORD")`) inside a function or a
module, and reports where one becomes part of a prompt, a message, or what a tool returns.

## Why is this bad?
What the model reads it can be talked into saying, to anybody, and it is stored with the conversation at the provider. A
key is for the client that makes the call, which runs in your code: the model never needs it.

## Example
```python
messages = [{"role": "system", "content": f"Use the key {os.environ['STRIPE_API_KEY']}"}]
```

## Use instead
Give the key to the tool's own client, and let the model name what it wants done.

## References
- CWE-200: https://cwe.mitre.org/data/definitions/200.html
- OWASP Top 10 for Agentic Applications, ASI03 Identity and Privilege Abuse
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from agentcop_core.redact.sensitive import sensitivity
from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.python.nodes import under
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_ENV: Final = frozenset({"os.getenv", "os.environ.get", "getenv", "environ.get"})
_PROMPT_NAMES: Final = words(
    "content prompt system system_prompt instructions system_message input user_prompt system_instruction backstory"
    " description text_prompt"
)
_MESSAGES: Final = words("SystemMessage HumanMessage UserMessage AIMessage SystemPromptPart UserPromptPart TextContent")


def _check(module: Module) -> Iterator[Finding]:
    if "environ" not in module.text and "getenv" not in module.text:
        return
    reads = (*module.nodes.of(ast.Subscript), *module.nodes.of(ast.Call))
    if not any(_is_secret(module, node, set()) for node in reads):
        return
    scopes: list[tuple[Sequence[ast.stmt], bool]] = [(module.tree.body, False)]
    scopes += [
        (scope.node.body, module.entries.get(scope.qualname) == "tool") for scope in module.scopes.functions.values()
    ]
    outer = _secrets(module, module.tree.body, set())
    for body, is_tool in scopes:
        known = outer if body is module.tree.body else _secrets(module, body, outer)
        for statement in body:
            for node in under(statement, into_functions=False):
                if isinstance(node, ast.expr | ast.keyword | ast.Return):
                    yield from _reported(module, node, known, is_tool=is_tool)


def _secrets(module: Module, body: Sequence[ast.stmt], known: set[str]) -> set[str]:
    """Names that hold a secret of the environment, as a whole."""
    found = set(known)
    for statement in body:
        for node in under(statement, into_functions=False):
            if isinstance(node, ast.Assign) and _is_secret(module, node.value, found):
                found.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return found


def _is_secret(module: Module, value: ast.expr, known: set[str]) -> bool:
    if isinstance(value, ast.Name):
        return value.id in known
    if isinstance(value, ast.Subscript) and module.resolve(value.value) in {"os.environ", "environ"}:
        return _names_secret(module, value.slice)
    return (
        isinstance(value, ast.Call)
        and module.resolve(value.func) in _ENV
        and bool(value.args)
        and _names_secret(module, value.args[0])
    )


def _names_secret(module: Module, name: ast.expr) -> bool:
    text = module.constant(name)
    return isinstance(text, str) and sensitivity(text) != "no"


def _reported(module: Module, node: ast.AST, known: set[str], *, is_tool: bool) -> Iterator[Finding]:
    where = ""
    value: ast.expr | None = None
    if isinstance(node, ast.keyword) and node.arg in _PROMPT_NAMES:
        where, value = "a prompt", node.value
    elif isinstance(node, ast.Dict):
        for key, inner in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "content":
                where, value = "a message", inner
    elif isinstance(node, ast.Call) and module.resolve(node.func).rpartition(".")[2] in _MESSAGES and node.args:
        where, value = "a message", node.args[0]
    elif isinstance(node, ast.Return) and is_tool:
        where, value = "what the tool returns to the model", node.value
    if value is not None and _contains(module, value, known):
        at = node if isinstance(node, ast.Return) else value
        yield module.finding(RULE, at, f"A secret of the environment becomes part of {where}.", confidence="high")


def _contains(module: Module, value: ast.expr, known: set[str]) -> bool:
    """Whether the text itself holds the secret; what a call makes of it is the call's affair."""
    if isinstance(value, ast.JoinedStr):
        return any(
            _contains(module, part.value, known) for part in value.values if isinstance(part, ast.FormattedValue)
        )
    if isinstance(value, ast.BinOp):
        return _contains(module, value.left, known) or _contains(module, value.right, known)
    if isinstance(value, ast.Tuple):
        return any(_contains(module, part, known) for part in value.elts)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "format":
        given = [*value.args, *(keyword.value for keyword in value.keywords)]
        return any(_contains(module, part, known) for part in given)
    return _is_secret(module, value, known)


RULE = PatternRule(
    id="AC172", slug="secret-in-prompt", severity="HIGH", cwe=(200,), asi=(3,), doc=__doc__, check=_check
)
