"""Approval by nobody.

## What it does
Reports settings and arguments that switch an agent's questions off: `auto_approve=True`, `human_input_mode="NEVER"`,
`permission_mode="bypassPermissions"`, `approval_policy = "never"`, `"autoApprove": ["*"]`,
`--dangerously-skip-permissions`, and their kin.

## Why is this bad?
The question is the last place where a person sees a call before it happens. Without it, one sentence on a web page that
the agent reads is enough to delete, send or pay.

## Example
```python
ClaudeAgentOptions(permission_mode="bypassPermissions")
```

## Use instead
```python
ClaudeAgentOptions(permission_mode="default", allowed_tools=["Read", "Grep"])
```
Let what only reads pass by name, and let a policy or a person decide the rest.

## References
- CWE-862: https://cwe.mitre.org/data/definitions/862.html
- OWASP Top 10 for Agentic Applications, ASI09 Human-Agent Trust Exploitation and ASI10 Rogue Agents
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from agentcop_scanner.rule import ConfigRule
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.data.node import Node
    from agentcop_scanner.finding import Finding, Severity
    from agentcop_scanner.source.document import Document
    from agentcop_scanner.source.module import Module

_SWITCHES: Final = words(
    "auto_approve autoapprove auto_approve_all auto_approve_tools yolo yolo_mode skip_permissions"
    " skip_approval skip_confirmation dangerously_skip_permissions bypass_permissions auto_accept_all"
    " chat.tools.autoapprove chat.tools.global.autoapprove chat.agent.autoapprove alwaysallowexecute"
    " always_allow_execute"
    " autoapprovalenabled trust_all_tools skipdangerousmodepermissionprompt"
)
"""On means that nobody is asked. Written in snake case here; a dash is an underscore."""
_VALUES: Final[dict[str, frozenset[str]]] = {
    "permission_mode": frozenset({"bypasspermissions", "dontask"}),
    "permissionmode": frozenset({"bypasspermissions", "dontask"}),
    "defaultmode": frozenset({"bypasspermissions", "dontask"}),
    "approval_policy": frozenset({"never"}),
    "approvalpolicy": frozenset({"never"}),
    "ask_for_approval": frozenset({"never"}),
    "approval_mode": frozenset({"yolo", "full-auto", "never"}),
    "approvalmode": frozenset({"yolo", "full-auto", "never"}),
    "defaultapprovalmode": frozenset({"yolo"}),
}
_LISTS: Final = words("autoapprove alwaysallow auto_approve always_allow autoapprovetools")
_OPTIONS: Final = words(
    "--dangerously-skip-permissions --yolo --dangerously-bypass-approvals-and-sandbox --trust-all-tools"
    " --allow-all-tools --full-auto --auto-approve-all --dangerously-auto-approve"
)
_PATTERN_FOR_ALL: Final = re.compile(r"\*|/(?:\^?\.\*\$?|\.\+)/[a-z]{0,3}")


def _named(name: str) -> str:
    return name.lower().replace("-", "_")


def _check(document: Document) -> Iterator[Finding]:
    for path, node in document.values():
        said = _said(path, node) if path else None
        if said is not None:
            yield document.finding(RULE, node, said[0], severity=said[1], function=".".join(path)[-120:])


def _said(path: tuple[str, ...], node: Node) -> tuple[str, Severity] | None:
    name = _named(path[-1])
    if name in _SWITCHES and node.scalar is True:
        return f"Nobody is asked: {path[-1]} is on.", "HIGH"
    value = node.scalar.lower() if isinstance(node.scalar, str) else ""
    if value and value in _VALUES.get(name, ()):
        return f"Nobody is asked: {path[-1]} is {value[:40]}.", "HIGH"
    if name == "human_input_mode" and value == "never":
        return "Nobody is asked: human_input_mode is NEVER.", "MEDIUM"
    return _listed(name, path, node)


def _listed(name: str, path: tuple[str, ...], node: Node) -> tuple[str, Severity] | None:
    """Lists, patterns and options that let everything pass."""
    if name in _LISTS and "*" in node.strings():
        return f"Nobody is asked about any tool: {path[-1]} is *.", "HIGH"
    if name in {"chat.tools.terminal.autoapprove", "autoapprove"}:
        for entry in node.entries:
            if _PATTERN_FOR_ALL.fullmatch(entry.key) and entry.node.scalar is True:
                return f"Nobody is asked about any command: {path[-1]}.", "HIGH"
    if name == "trust" and node.scalar is True and any(part.lower().startswith("mcp") for part in path[:-1]):
        return "Nobody is asked about this server's tools: trust is on.", "MEDIUM"
    if isinstance(node.scalar, str) and name in {"args", "command", "script", "run", "entrypoint"}:
        given = _OPTIONS & set(node.scalar.split())
        if given:
            return f"Nobody is asked: {min(given)}.", "HIGH"
    return None


def _check_module(module: Module) -> Iterator[Finding]:
    for call in module.nodes.of(ast.Call):
        for keyword in call.keywords:
            said = _argument(module, call, keyword) if keyword.arg else None
            if said is not None:
                yield module.finding(RULE, keyword.value, said[0], severity=said[1], confidence="high")
    for listed in module.nodes.of(ast.List):
        said_words = [
            item.value for item in listed.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)
        ]
        given = _OPTIONS & set(said_words)
        if given and said_words[0] not in _OPTIONS:
            yield module.finding(
                RULE, listed, f"Nobody is asked: the command is given {min(given)}.", confidence="high"
            )


def _argument(module: Module, call: ast.Call, keyword: ast.keyword) -> tuple[str, Severity] | None:
    name = _named(keyword.arg or "")
    value = module.constant(keyword.value)
    if name in _SWITCHES and value is True:
        return f"Nobody is asked: {keyword.arg} is on.", "HIGH"
    if not isinstance(value, str):
        return None
    if value.lower() in _VALUES.get(name, ()):
        return f"Nobody is asked: {keyword.arg} is {value[:40]}.", "HIGH"
    if name == "human_input_mode" and value.upper() == "NEVER":
        return _never(module, call)
    return None


def _never(module: Module, call: ast.Call) -> tuple[str, Severity] | None:
    """An agent that only talks may do so unasked; one that runs code or tools may not."""
    config = module.argument(call, "code_execution_config")
    if config is not None and not (isinstance(config, ast.Constant) and not config.value):
        return "Code runs and nobody is asked: human_input_mode is NEVER.", "HIGH"
    if config is None and module.resolve(call.func).endswith("UserProxyAgent"):
        return "Nobody is asked: human_input_mode is NEVER.", "MEDIUM"
    return None


RULE = ConfigRule(
    id="AC193",
    slug="auto-approve",
    severity="HIGH",
    cwe=(862,),
    asi=(9, 10),
    doc=__doc__,
    check=_check,
    also=_check_module,
)
