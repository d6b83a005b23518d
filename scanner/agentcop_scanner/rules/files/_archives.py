"""Tar archives in a module: where they are opened, and whether their members are looked at."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Literal

from agentcop_scanner.engine.calling.callsite import name_words, spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.source.module import Module
    from agentcop_scanner.source.python.scopes import Scope

_OPENS = ("tarfile.open", "tarfile.TarFile", "tarfile.TarFile.open")
_LOOKS = frozenset({"getmembers", "getnames", "infolist", "namelist"})
_SHOWS = frozenset({"is_relative_to", "relative_to", "commonpath"})
_SAYS_SO = frozenset({"within", "inside", "contained", "safe"})
"""Words in the name of a check that stands in another module."""
_LINKS = frozenset({"issym", "islnk", "linkname", "isfile", "isreg"})
_MAX_FUNCTIONS = 10
"""That are looked into for one call."""


def opened_archives(module: Module) -> set[str]:
    """Names that a tar archive is bound to somewhere in the module."""
    found: set[str] = set()
    opening = set(module.calls(*_OPENS)) | set(_opened_by_another_name(module))
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


def _opened_by_another_name(module: Module) -> Iterator[ast.Call]:
    """Calls of a name that `tarfile.open` is assigned to somewhere: which of several ways to open is chosen first."""
    if "tarfile" not in module.text:
        return
    names = {
        target.id
        for assign in module.nodes.of(ast.Assign)
        if isinstance(assign.value, ast.Attribute) and module.resolve(assign.value) in _OPENS
        for target in assign.targets
        if isinstance(target, ast.Name)
    }
    for call in module.nodes.of(ast.Call) if names else ():
        if isinstance(call.func, ast.Name) and call.func.id in names:
            yield call


def opens_tar(module: Module, call: ast.Call, opened: set[str]) -> bool:
    """Whether a call is a method of a tar archive."""
    func = call.func
    if not isinstance(func, ast.Attribute):
        return False
    return spelled(func.value) in opened or (isinstance(func.value, ast.Call) and module.dotted(func.value) in _OPENS)


def members_checked(module: Module, call: ast.Call) -> Literal["well", "weakly", "not"]:
    """How the function of a call goes through the members and compares their paths before it unpacks.

    Functions of the module that it calls count as its own: a filter given as `members=`, a check of one member.
    Weakly: as text, without a separator at the folder's end.
    """
    scope = module.function(call)
    if scope is None:
        return "not"
    before = [node for node in ast.walk(scope.node) if isinstance(node, ast.Call) and node.lineno <= call.lineno]
    # what the call itself is given stands after its first line where it is long
    calls = _with_those_inside(module, [*before, *(node for node in ast.walk(call) if isinstance(node, ast.Call))])
    called = {_called(node) for node in calls}
    looks = (
        bool(called & _LOOKS)
        or module.argument(call, "members", 1) is not None
        or any(
            isinstance(node, ast.For | ast.comprehension) and "member" in ast.unparse(node.target).lower()
            for node in ast.walk(scope.node)
        )
    )
    if any("safe" in name and "extract" in name for name in called):
        return "well"
    return _compared(module, scope, calls) if looks else "not"


def _compared(module: Module, scope: Scope, calls: list[ast.Call]) -> Literal["well", "weakly", "not"]:
    """How these calls compare a path with its folder."""
    called = {_called(node) for node in calls}
    if called & _SHOWS:
        return "well"
    if any(name_words(name) & _SAYS_SO for name in called if name not in module.scopes.functions):
        return "well" if _asks_for_links(module, scope, called) else "weakly"
    compared = [node for node in calls if _called(node) == "startswith" and len(node.args) == 1]
    if any(_ended(node.args[0]) for node in compared):
        return "well"
    return "weakly" if compared or "commonprefix" in called else "not"


def _asks_for_links(module: Module, scope: Scope, called: set[str]) -> bool:
    """Whether it is asked what a link leads to: a name in the folder may be one to a place that is not."""
    if called & _LINKS:
        return True
    others = (module.scopes.functions[name] for name in called if name in module.scopes.functions)
    return any(
        isinstance(node, ast.Attribute) and node.attr in _LINKS
        for one in (scope, *others)
        for node in ast.walk(one.node)
    )


def in_zip_branch(module: Module, call: ast.Call) -> bool:
    """Whether a call is made only where the archive is a zip, whose members Python itself keeps in the folder."""
    for node in module.nodes.of(ast.If):
        negated = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
        spelling = ast.unparse(node.test).lower().replace("gzip", "").replace("bzip", "")
        body = node.orelse if negated else node.body
        if "zip" in spelling and body and body[0].lineno <= call.lineno <= (body[-1].end_lineno or 0):
            return True
    return False


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _with_those_inside(module: Module, calls: list[ast.Call]) -> list[ast.Call]:
    """Calls, and those in the functions of the module that they call by name."""
    found = list(calls)
    seen: set[str] = set()
    at = 0
    while at < len(found) and len(seen) < _MAX_FUNCTIONS:
        func = found[at].func
        at += 1
        scope = module.scopes.functions.get(func.id) if isinstance(func, ast.Name) else None
        if scope is not None and scope.qualname not in seen:
            seen.add(scope.qualname)
            found += [node for node in ast.walk(scope.node) if isinstance(node, ast.Call)]
    return found


def _ended(node: ast.expr) -> bool:
    """Whether a folder, or a text that must not lead, ends where its name does."""
    text = ast.unparse(node)
    return isinstance(node, ast.Constant | ast.Tuple) or "sep" in text or text.rstrip("'\")").endswith("/")
