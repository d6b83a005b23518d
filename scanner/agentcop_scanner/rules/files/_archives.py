"""Tar archives in a module: where they are opened, and whether their members are looked at."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from agentcop_scanner.engine.calling.callsite import spelled

if TYPE_CHECKING:
    from agentcop_scanner.source.module import Module

_OPENS = ("tarfile.open", "tarfile.TarFile", "tarfile.TarFile.open")
_LOOKS = ("getmembers", "getnames", "infolist", "namelist")
_SHOWS = ("is_relative_to", "relative_to", "commonpath", "commonprefix", "realpath", "resolve", "startswith", "is_safe")


def opened_archives(module: Module) -> set[str]:
    """Names that a tar archive is bound to somewhere in the module."""
    found: set[str] = set()
    opening = set(module.calls(*_OPENS))
    blocks: list[ast.With | ast.AsyncWith] = [*module.nodes.of(ast.With), *module.nodes.of(ast.AsyncWith)]
    for node in blocks:
        found |= {
            spelled(item.optional_vars)
            for item in node.items
            if item.context_expr in opening and item.optional_vars is not None
        }
    for assign in module.nodes.of(ast.Assign):
        if assign.value in opening:
            found |= {spelled(target) for target in assign.targets}
    for arg in module.nodes.of(ast.arg):
        if arg.annotation is not None and module.resolve(arg.annotation) == "tarfile.TarFile":
            found.add(arg.arg)
    return found - {""}


def opens_tar(module: Module, call: ast.Call, opened: set[str]) -> bool:
    """Whether a call is a method of a tar archive."""
    func = call.func
    if not isinstance(func, ast.Attribute):
        return False
    return spelled(func.value) in opened or (isinstance(func.value, ast.Call) and module.dotted(func.value) in _OPENS)


def members_checked(module: Module, call: ast.Call) -> bool:
    """Whether the function of a call goes through the members and compares their paths before it unpacks."""
    scope = module.function(call)
    if scope is None:
        return False
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(scope.node)
        if isinstance(node, ast.Call) and node.lineno <= call.lineno
    }
    looks = bool(called & set(_LOOKS)) or any(
        isinstance(node, ast.For | ast.comprehension) and "member" in ast.unparse(node.target).lower()
        for node in ast.walk(scope.node)
    )
    return (looks and bool(called & set(_SHOWS))) or any("safe" in name and "extract" in name for name in called)
