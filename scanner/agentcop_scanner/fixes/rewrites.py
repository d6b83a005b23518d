"""The fixes of rules about one call: each gives the edits for one finding, and none where there is doubt."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from agentcop_scanner.fixes.arguments import added, is_constant, keyword, removed, replaced

if TYPE_CHECKING:
    from agentcop_scanner.finding import Finding
    from agentcop_scanner.fixes.source import Edit, Source

_VERIFYING: Final = ("verify", "verify_ssl", "verify_certs", "ssl_verify")
_SECONDS: Final = 30
_LOADING: Final = {"weights_only": False, "safe_mode": False, "allow_pickle": True}
"""Arguments of model loaders, with the value that runs code."""


def verify_tls(source: Source, finding: Finding) -> list[Edit]:
    """AC134: `verify=False` becomes `verify=True`, and an unverified context the default one."""
    call = source.call(finding, lambda call: any(is_constant(keyword(call, one), value=False) for one in _VERIFYING))
    if call is not None:
        given = [keyword(call, one) for one in _VERIFYING]
        return [replaced(source, one.value, "True") for one in given if one and is_constant(one, value=False)]
    call = source.call(finding, lambda call: _attribute(call.func) == "_create_unverified_context")
    if call is not None and isinstance(call.func, ast.Attribute):
        return [replaced(source, call.func, f"{ast.unparse(call.func.value)}.create_default_context")]
    return []


def add_timeout(source: Source, finding: Finding) -> list[Edit]:
    """AC135: `timeout=30`, where no timeout is given."""
    call = source.call(finding, lambda call: keyword(call, "timeout") is None)
    return _added(source, call, f"timeout={_SECONDS}")


def load_safely(source: Source, finding: Finding) -> list[Edit]:
    """AC161: `yaml.load(x, Loader=L)` becomes `yaml.safe_load(x)`; other formats have no safe reader."""
    call = source.call(finding, lambda call: _attribute(call.func) in {"load", "unsafe_load", "full_load"})
    if call is None or len(call.args) != 1 or any(one.arg != "Loader" for one in call.keywords):
        return []
    module, _, _ = _dotted(call.func).rpartition(".")
    if module not in _names_of(source.tree, "yaml"):
        return []
    edits = [replaced(source, call.func, f"{module}.safe_load")]
    for loader in call.keywords:
        without = removed(source, loader)
        if without is None:
            return []
        edits.append(without)
    return edits


def load_weights_only(source: Source, finding: Finding) -> list[Edit]:
    """AC162: a model is loaded as data: `weights_only=True`, `safe_mode=True`, `allow_pickle=False`."""
    call = source.call(finding, lambda call: any(is_constant(keyword(call, one), bad) for one, bad in _LOADING.items()))
    if call is not None:
        given = [(keyword(call, one), bad) for one, bad in _LOADING.items()]
        return [replaced(source, one.value, str(not bad)) for one, bad in given if one and is_constant(one, bad)]
    loads = {f"{name}.load" for name in _names_of(source.tree, "torch")}
    call = source.call(finding, lambda call: _dotted(call.func) in loads and keyword(call, "weights_only") is None)
    return _added(source, call, "weights_only=True")


def trust_no_remote_code(source: Source, finding: Finding) -> list[Edit]:
    """AC163: `trust_remote_code=False`."""
    call = source.call(finding, lambda call: is_constant(keyword(call, "trust_remote_code"), value=True))
    given = keyword(call, "trust_remote_code") if call is not None else None
    return [replaced(source, given.value, "False")] if given is not None else []


def extract_data(source: Source, finding: Finding) -> list[Edit]:
    """AC124: `filter="data"`, where the archive is opened in this file and can only be a tar file."""
    call = source.call(finding, lambda call: _attribute(call.func) in {"extractall", "extract"})
    if call is None or not isinstance(call.func, ast.Attribute) or keyword(call, "filter") is not None:
        return []
    return _added(source, call, 'filter="data"') if _is_tar(call.func.value, source.tree) else []


def _added(source: Source, call: ast.Call | None, argument: str) -> list[Edit]:
    edit = added(source, call, argument) if call is not None else None
    return [edit] if edit is not None else []


def _attribute(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else ""


def _dotted(func: ast.expr) -> str:
    return ast.unparse(func) if isinstance(func, ast.Attribute) else ""


def _names_of(tree: ast.Module, module: str) -> set[str]:
    """What a module is called in this file: `yaml`, or `y` after `import yaml as y`."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == module
    }


def _is_tar(archive: ast.expr, tree: ast.Module) -> bool:
    if isinstance(archive, ast.Call):
        return _opens_tar(archive, tree)
    if not isinstance(archive, ast.Name):
        return False
    values: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and _is_name(node.optional_vars, archive.id):
            values.append(node.context_expr)
        elif isinstance(node, ast.Assign) and any(_is_name(target, archive.id) for target in node.targets):
            values.append(node.value)
        elif isinstance(node, ast.arg) and node.arg == archive.id:
            return False
    return bool(values) and all(_opens_tar(value, tree) for value in values)


def _opens_tar(value: ast.expr, tree: ast.Module) -> bool:
    names = _names_of(tree, "tarfile")
    opening = {f"{name}.{how}" for name in names for how in ("open", "TarFile", "TarFile.open")}
    return isinstance(value, ast.Call) and _dotted(value.func) in opening


def _is_name(node: ast.expr | None, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
