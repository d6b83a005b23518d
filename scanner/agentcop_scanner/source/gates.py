"""Whether a person is asked before a tool acts: by the tool, by its decorator, or by what the module builds of it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from agentcop_scanner.source.python.nodes import under
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from agentcop_scanner.source.module import Module
    from agentcop_scanner.source.python.scopes import Function

_ASKS: Final = re.compile(
    r"interrupt|approv|confirm|ask_human|human_?in|human_input|human_review|consent|elicit|ask_user|prompt_user"
    r"|ask_permission"
    r"|request_permission|check_permission|require_permission|authori[sz]e|is_allowed|dry_run|review|two_factor"
    r"|require_human",
    re.IGNORECASE,
)
_KEYWORDS: Final = words(
    "needs_approval requires_approval require_approval require_confirmation requires_confirmation approval_mode"
    " human_in_the_loop confirm_before interrupt_before interrupt_after interrupt_on approval_required"
    " require_permission"
    " always_ask ask_before permission_callback can_use_tool requires_user_confirmation approval"
)
_MAKERS: Final = re.compile(
    r"HumanInTheLoop|HumanApproval|ApprovalRequired|GatePolicy|AgentCop|ApprovalMiddleware|human_in_the_loop"
    r"|HumanLayer|UserConfirmation",
)


def module_asks(module: Module) -> bool:
    """Whether the module puts a gate before its tools: middleware, `interrupt_before=`, a policy."""
    if any(_MAKERS.search(name) for name in module.imports.values()):
        return True
    return any(keyword.arg in _KEYWORDS and not _is_off(keyword.value) for keyword in module.nodes.of(ast.keyword))


def asks(module: Module, node: Function) -> bool:
    """Whether this tool asks before it acts, or is only run when somebody said yes."""
    for decorator in node.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        name = module.resolve(call.func if call else decorator)
        if _ASKS.search(name):
            return True
        if call and any(keyword.arg in _KEYWORDS and not _is_off(keyword.value) for keyword in call.keywords):
            return True
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    if any(_ASKS.search(argument.arg) and not argument.arg.startswith("approved") for argument in arguments):
        return True
    return any(
        (isinstance(inner, ast.Call) and _ASKS.search(_called(inner)))
        or (isinstance(inner, ast.Attribute | ast.Name) and _ASKS.search(_called_name(inner)))
        for statement in node.body
        for inner in under(statement)
    )


def _called(call: ast.Call) -> str:
    return _called_name(call.func) if isinstance(call.func, ast.Attribute | ast.Name) else ""


def _called_name(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


def _is_off(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value in {False, None, "never", "auto"}
