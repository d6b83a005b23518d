"""Failed check that lets the call through.

## What it does
Reports a check (`authorize`, `check_permission`, `validate_url`, `moderate` …) whose failure is caught and passed over,
so that what it was to stop goes on.

## Why is this bad?
A guard says no by raising. Where every exception is caught and nothing is done, its no is a yes, and so is each fault
of its own: a database that does not answer opens the door.

## Example
```python
try:
    check_permission(user, action)
except Exception:
    pass
run(action)
```

## Use instead
```python
try:
    check_permission(user, action)
except PermissionDenied as denied:
    return refuse(denied)
```

## References
- CWE-636: https://cwe.mitre.org/data/definitions/636.html
- OWASP Top 10 for Agentic Applications, ASI10 Rogue Agents
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.python.nodes import under
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding
    from agentcop_scanner.source.module import Module

_GUARD: Final = re.compile(
    r"_?(?:authori[sz]e|authenticate|enforce|moderate|guard|assert_allowed|ensure_allowed|is_allowed|is_safe"
    r"|is_authori[sz]ed)(?:_\w{1,40})?"
    r"|_?(?:check|verify|require|ensure|assert|validate)_(?:\w{1,30}_)?(?:perm\w{0,10}|auth\w{0,12}|access"
    r"|policy|policies|allowed|safe|safety|signature"
    r"|token|scope|scopes|origin|quota|budget|rate_limit|role|roles|url|path|sql|command|code|tool_call"
    r"|injection|guardrails?)"
)
_BROAD: Final = frozenset({"Exception", "BaseException"})
_DENIES: Final = re.compile(r"perm|auth|denied|forbidden|policy|security|guard|unsafe|violation|refus", re.IGNORECASE)
_LOGS: Final = words("debug info warning warn error exception critical log print")


def _check(module: Module) -> Iterator[Finding]:
    for node in module.nodes.of(ast.Try):
        guard = _guard(module, node)
        if not guard:
            continue
        for handler in node.handlers:
            if _catches_all(module, handler) and _passes(handler) and not _only_guard_result(node):
                message = f"If {guard[:60]} fails, for whatever reason, the call goes on."
                yield module.finding(RULE, handler, message, fix="Refuse where the check fails.")


def _guard(module: Module, node: ast.Try) -> str:
    """The check that stands for itself in the body: its result is not used, so its no can only be an exception."""
    for statement in node.body:
        value = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(value, ast.Await):
            value = value.value
        if isinstance(value, ast.Call):
            name = module.resolve(value.func).rpartition(".")[2] or getattr(value.func, "attr", "")
            if _GUARD.fullmatch(name):
                return str(name)
    return ""


def _catches_all(module: Module, handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = [module.resolve(kind).rpartition(".")[2] for kind in types]
    return any(name in _BROAD or _DENIES.search(name) for name in names)


def _passes(handler: ast.ExceptHandler) -> bool:
    """Whether nothing in it ends the call, says no, or remembers that it should."""
    for statement in handler.body:
        for node in under(statement):
            if isinstance(node, ast.Raise | ast.Continue | ast.Break | ast.Assign | ast.AugAssign | ast.AnnAssign):
                return False
            if isinstance(node, ast.Return):
                return isinstance(node.value, ast.Constant) and node.value.value is True
            if isinstance(node, ast.Call) and (getattr(node.func, "attr", getattr(node.func, "id", ""))) not in _LOGS:
                return False
    return True


def _only_guard_result(node: ast.Try) -> bool:
    """With an `else` the guarded work is done only when the check passed."""
    return bool(node.orelse)


RULE = PatternRule(
    id="AC195", slug="swallowed-guard", severity="MEDIUM", cwe=(636,), asi=(10,), doc=__doc__, check=_check
)
