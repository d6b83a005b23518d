"""Endpoints of web applications, and whether anything asks who is calling."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from agentcop_scanner.source.python.nodes import under
from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.source.module import Module
    from agentcop_scanner.source.python.scopes import Function

_WRITING: Final = words("post put patch delete websocket websocket_route route api_route")
_AUTH: Final = re.compile(
    r"auth|login|logged_in|api[-_]?key|bearer|current_?user|currentactiveuser|active_user|session_user|jwt|oauth"
    r"|permission|require_|required|verify|credential|principal|identity|signature|hmac|csrf|access_token|user_dep"
    r"|get_user|admin|rbac|acl\b|guard|protected|security|secret",
    re.IGNORECASE,
)
_MIDDLEWARE: Final = re.compile(r"auth|session|jwt|api_?key|token|security|oauth", re.IGNORECASE)


def unguarded(module: Module) -> Iterator[Function]:
    """The endpoints that take a body or a connection and, as far as the module shows, let anybody in."""
    if _guards_all(module):
        return
    guarded = _guarded_routers(module)
    for scope in module.scopes.functions.values():
        node = scope.node
        if module.entries.get(scope.qualname) != "endpoint" or isinstance(node, ast.ClassDef):
            continue
        routes = [name for name in module.decorators(node) if name.rpartition(".")[2] in _WRITING]
        routers = {name.rpartition(".")[0] for name in routes}
        if routes and not routers & guarded and not _asks(module, node):
            yield node


def _guards_all(module: Module) -> bool:
    """Whether a middleware, or a hook before each request, may ask."""
    for call in module.methods_called.get("add_middleware", ()):
        if call.args and _MIDDLEWARE.search(module.resolve(call.args[0])):
            return True
    for scope in module.scopes.functions.values():
        names = module.decorators(scope.node)
        if any(name.endswith(("before_request", ".middleware", "before_app_request")) for name in names):
            return any(_AUTH.search(text) for text in _names(scope.node))
    return False


def _guarded_routers(module: Module) -> frozenset[str]:
    """Names of applications and routers that were made with dependencies that ask."""
    found: set[str] = set()
    for name, value in module.assigned.items():
        if isinstance(value, ast.Call):
            given = module.argument(value, "dependencies") or module.argument(value, "auth")
            if given is not None and any(
                _AUTH.search(text) or text in {"Depends", "Security"} for text in _names(given)
            ):
                found.add(name)
    return frozenset(found)


def _asks(module: Module, node: Function) -> bool:
    """Whether a decorator, a parameter or the body speaks of who is calling."""
    for decorator in node.decorator_list:
        given = module.argument(decorator, "dependencies") if isinstance(decorator, ast.Call) else None
        name = module.resolve(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if given is not None or _AUTH.search(name):
            return True
    for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        texts = [argument.arg, *(_names(argument.annotation) if argument.annotation else ())]
        if any(map(_AUTH.search, texts)):
            return True
    for default in (*node.args.defaults, *node.args.kw_defaults):
        if isinstance(default, ast.Call) and module.resolve(default.func).rpartition(".")[2] == "Security":
            return True
        if default is not None and any(map(_AUTH.search, _names(default))):
            return True
    return any(_AUTH.search(text) for statement in node.body for text in _names(statement))


def _names(node: ast.AST) -> Iterator[str]:
    """Names, attributes and short texts in a piece of code."""
    for inner in under(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str) and len(inner.value) < 40:  # noqa: PLR2004
            yield inner.value
