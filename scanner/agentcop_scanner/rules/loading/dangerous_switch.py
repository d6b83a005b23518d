"""Protection of a library is switched off.

## What it does
Reports the switches by which libraries ask whether you mean it: `allow_dangerous_deserialization=True`,
`allow_dangerous_code=True`, `allow_dangerous_requests=True`, and functions of your own that have such a switch on
unless somebody turns it off.

## Why is this bad?
The switch is there because what it allows runs code from a file, from the model or from the network. Where it is the
default, nobody decides it.

## Example
```python
FAISS.load_local(path, embeddings, allow_dangerous_deserialization=True)
```

## Use instead
Leave it off. Where the file is your own, keep it where only you can write, and check its hash before you load it.

## References
- CWE-1188: https://cwe.mitre.org/data/definitions/1188.html
- OWASP Top 10 for Agentic Applications, ASI05 Unexpected Code Execution
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
    from agentcop_scanner.source.python.scopes import Function

_SWITCH: Final = re.compile(
    r"(?:allow|enable)_(?:dangerous|unsafe|insecure|arbitrary)_[a-z_]{1,40}|(?:allow|enable)_pickle|unsafe_mode"
    r"|allow_code_execution_on_host|dangerously_[a-z_]{1,40}|unsafe_allow_[a-z_]{1,40}"
)
_NOT_OURS: Final = re.compile(
    r"allow_arbitrary_types|unsafe_allow_html|dangerously_(?:allow_html|set_inner_html|skip_permissions"
    r"|auto_approve)\w*|allow_pickle"
)
_PICKLE: Final = re.compile(r"(?:allow|enable)_(?:pickle|unsafe_\w{1,30})")
_LOADS: Final = re.compile(r"load|read|from_|deserial|open|get|restore|init", re.IGNORECASE)
_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_ENV: Final = frozenset({"os.getenv", "os.environ.get", "getenv", "environ.get"})


def _check(module: Module) -> Iterator[Finding]:
    for call in module.nodes.of(ast.Call):
        for keyword in call.keywords:
            if keyword.arg and module.constant(keyword.value) is True and _is_switch(keyword.arg):
                yield module.finding(RULE, call, f"{keyword.arg} is on.", confidence="high", fix="Leave it off.")
        yield from _environment(module, call)
    for scope in module.scopes.functions.values():
        if not isinstance(scope.node, ast.ClassDef):
            yield from _defaults(module, scope.node)


def _is_switch(name: str) -> bool:
    return bool(_SWITCH.fullmatch(name)) and not _NOT_OURS.fullmatch(name)


def _environment(module: Module, call: ast.Call) -> Iterator[Finding]:
    """`os.getenv("ALLOW_PICKLE", "True")`: on unless somebody says otherwise."""
    if module.resolve(call.func) not in _ENV or len(call.args) < 2:  # noqa: PLR2004  # a name and a default
        return
    name, default = module.constant(call.args[0]), module.constant(call.args[1])
    if isinstance(name, str) and str(default).lower() in _TRUE and _PICKLE.search(name.lower()):
        yield module.finding(
            RULE, call, f"{name[:60]} is on unless the environment says otherwise.", confidence="medium"
        )


def _defaults(module: Module, function: Function) -> Iterator[Finding]:
    arguments = function.args
    loads = function.name == "__init__" or _LOADS.search(function.name) is not None
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    for argument, default in pairs:
        if default is None or module.constant(default) is not True:
            continue
        if _is_switch(argument.arg) or (loads and argument.arg in {"allow_pickle", "trust_remote_code"}):
            message = f"{argument.arg} is on unless the caller turns it off."
            yield module.finding(RULE, argument, message, confidence="medium", fix="Make False the default.")


RULE = PatternRule(
    id="AC164", slug="dangerous-switch", severity="HIGH", cwe=(1188,), asi=(5,), doc=__doc__, check=_check
)
