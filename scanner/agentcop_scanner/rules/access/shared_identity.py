"""The model says whose data a tool may touch.

## What it does
Reports tools that look data up by a `user_id`, `tenant_id` or the like which is an argument of the tool, where
nothing in the body holds it against the session.

## Why is this bad?
The arguments of a tool are written by the model, and the model writes what it is talked into: `show me the statements
of user 17`. The session knows who is asking; the model does not.

## Example
```python
@tool
def get_statements(user_id: str) -> list[str]:
    return session.query(Statement).filter_by(user_id=user_id).all()
```

## Use instead
```python
@tool
def get_statements(config: RunnableConfig) -> list[str]:
    user_id = config["configurable"]["user_id"]
    return session.query(Statement).filter_by(user_id=user_id).all()
```

## References
- CWE-639: https://cwe.mitre.org/data/definitions/639.html
- OWASP Top 10 for Agentic Applications, ASI03 Identity and Privilege Abuse
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
    from agentcop_scanner.source.python.scopes import Function

_IDENTITIES: Final = words(
    "user_id userid uid tenant_id tenant org_id owner_id current_user current_user_id acting_user session_user"
    " on_behalf_of"
    " customer_id account_owner patient_id employee_id member_id user_email"
)
_LOOKUPS: Final = words(
    "execute executemany fetch fetchrow fetchall fetchone filter filter_by find find_one find_all query select"
    " where get_item"
    " scalar scalars aggregate update_one delete_one insert_one hgetall"
)
_CHECKS: Final = re.compile(
    r"auth|permission|allowed|owns|verify|check|session|current|identity|require|access|scope|policy|guard",
    re.IGNORECASE,
)
_INJECTED: Final = re.compile(
    r"Injected|RunContext|Context\b|RunnableConfig|ToolRuntime|ToolContext|Depends|State\b|Session\b", re.IGNORECASE
)
_ORM: Final = re.compile(
    r"session|query|db|database|repo|collection|table|cursor|conn|store|select|objects|model", re.IGNORECASE
)


def _check(module: Module) -> Iterator[Finding]:
    for scope in module.scopes.functions.values():
        node = scope.node
        if module.entries.get(scope.qualname) != "tool" or isinstance(node, ast.ClassDef):
            continue
        for name in _identities(node):
            lookup = _lookup(node, name)
            if lookup is not None and not _held(node, name):
                message = f"The model says whose data this is: {name} is looked up as it comes."
                yield module.finding(RULE, lookup, message, fix="Take the identity from the session.")


def _identities(node: Function) -> Iterator[str]:
    """Parameters that the model fills in and that say who somebody is."""
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    for argument in arguments:
        annotation = ast.unparse(argument.annotation)[:200] if argument.annotation else ""
        if argument.arg.lower() in _IDENTITIES and not _INJECTED.search(annotation):
            yield argument.arg


def _lookup(node: Function, name: str) -> ast.Call | None:
    for inner in under(node):
        if (
            not isinstance(inner, ast.Call)
            or not isinstance(inner.func, ast.Attribute)
            or inner.func.attr not in _LOOKUPS
        ):
            continue
        chain = "".join(
            part.id if isinstance(part, ast.Name) else part.attr
            for part in ast.walk(inner.func.value)
            if isinstance(part, ast.Name | ast.Attribute)
        )
        if not _ORM.search(chain):
            continue
        given = (*inner.args, *(keyword.value for keyword in inner.keywords))
        if any(isinstance(part, ast.Name) and part.id == name for value in given for part in ast.walk(value)):
            return inner
    return None


def _held(node: Function, name: str) -> bool:
    """Whether the body compares the identity, or hands it to something that checks."""
    for inner in under(node):
        if isinstance(inner, ast.Compare):
            sides = [inner.left, *inner.comparators]
            said = any(isinstance(side, ast.Name) and side.id == name for side in sides)
            if said and not any(isinstance(side, ast.Constant) for side in sides) and _in_test(node, inner):
                return True
        elif isinstance(inner, ast.Call) and _CHECKS.search(_last(inner.func)):
            given = (*inner.args, *(keyword.value for keyword in inner.keywords))
            if any(isinstance(value, ast.Name) and value.id == name for value in given):
                return True
        elif isinstance(inner, ast.Name | ast.Attribute) and isinstance(inner.ctx, ast.Store) and _last(inner) == name:
            return True  # taken from elsewhere
    return False


def _in_test(node: Function, compare: ast.Compare) -> bool:
    """A comparison that decides something, and is no clause of a query."""
    return any(
        isinstance(inner, ast.If | ast.Assert | ast.IfExp | ast.While) and compare in ast.walk(inner.test)
        for inner in under(node)
    )


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


RULE = PatternRule(id="AC184", slug="shared-identity", severity="HIGH", cwe=(639,), asi=(3,), doc=__doc__, check=_check)
