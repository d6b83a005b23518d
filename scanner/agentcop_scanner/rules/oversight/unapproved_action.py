"""Tool that deletes, pays or deploys without asking.

## What it does
Reports tools whose name says that they delete, pay, send, deploy or revoke, and whose body does so, where nobody is
asked: no `interrupt`, no `needs_approval`, no confirmation, no policy in front of the module's tools.

## Why is this bad?
The model calls a tool because something it read made it plausible. Most calls can be undone; these cannot.

## Example
```python
@tool
def delete_bucket(name: str) -> str:
    s3.delete_bucket(Bucket=name)
```

## Use instead
```python
@tool
def delete_bucket(name: str) -> str:
    if interrupt({"question": f"Delete {name}?"}) != "yes":
        return "Not deleted: the operator said no."
    s3.delete_bucket(Bucket=name)
```
Or `require_approval` for it in an AgentCop policy, `needs_approval=True`, `interrupt_before=[…]`.

## References
- CWE-862: https://cwe.mitre.org/data/definitions/862.html
- OWASP Top 10 for Agentic Applications, ASI02 Tool Misuse and ASI09 Human-Agent Trust Exploitation
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import PatternRule
from agentcop_scanner.source.effects import effects
from agentcop_scanner.source.gates import asks, module_asks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.finding import Finding, Severity
    from agentcop_scanner.source.effects import Effect
    from agentcop_scanner.source.module import Module
    from agentcop_scanner.source.python.scopes import Scope

_GRAVE: Final = re.compile(
    r"(?:^|_)(?:delete|drop|destroy|wipe|purge|erase|truncate|pay|refund|transfer|charge|withdraw|payout|deploy|terminate"
    r"|shutdown|revoke|rollback|uninstall|cancel_subscription|format_disk|remove_(?:user|account|file|bucket|table|database))(?:_|$)"
)
_SENDS: Final = re.compile(r"(?:^|_)(?:send|publish|post|tweet|reply|forward|email|sms)(?:_|$)")
_DOES: Final = {
    "delete": "deletes",
    "pay": "moves money",
    "send": "sends",
    "run": "runs a command",
    "change": "changes",
}


def _check(module: Module) -> Iterator[Finding]:
    if module_asks(module):
        return
    for scope in module.scopes.functions.values():
        node = scope.node
        if module.entries.get(scope.qualname) != "tool" or isinstance(node, ast.ClassDef):
            continue
        effect = _effect(module, scope)
        if effect is not None and not asks(module, node):
            does = _DOES.get(effect.kind, "writes")
            message = f"The tool {_name(scope)} {does} and nobody is asked: it {effect.what}."
            severity: Severity = "HIGH" if effect.kind in {"delete", "pay", "run"} else "MEDIUM"
            yield module.finding(RULE, node, message, severity=severity)


def _name(scope: Scope) -> str:
    return scope.owner.node.name if scope.owner and scope.node.name.startswith("_") else scope.node.name


def _effect(module: Module, scope: Scope) -> Effect | None:
    """The first effect that fits what the tool's name says it does."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _name(scope)).lower()
    grave, sends = _GRAVE.search(name), _SENDS.search(name)
    if not grave and not sends:
        return None
    for effect in effects(module, scope.node):
        if (grave and effect.kind in {"delete", "pay", "run", "change"}) or (
            sends and effect.kind in {"send", "change"}
        ):
            return effect
    return None


RULE = PatternRule(
    id="AC191", slug="unapproved-action", severity="HIGH", cwe=(862,), asi=(2, 9), doc=__doc__, check=_check
)
