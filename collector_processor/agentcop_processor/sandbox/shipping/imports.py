"""What a module imports, and whether importing it would build a cop: in a box nobody is there to answer it."""

from __future__ import annotations

import ast
import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.shipping.origins import is_cops, names_in, origin_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Paths stay text: those of modules are.
# ruff: noqa: PTH116, PTH123

_MOST: Final = 2_000  # modules of one project that are followed
_LATER: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def cop_behind(names: Iterable[str]) -> str:
    """The first module of the project that has to do with AgentCop, if one of these is imported; "" for none."""
    for name, imports in _followed(names):
        if is_cops(name) or any(is_cops(each) for each in imports.first):
            return name
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What modules import at any time, and what those import that are loaded."""

    roots: tuple[tuple[str, str], ...]
    """Of what is loaded and of the project: the folder that its import begins in, and its entry there."""
    missing: frozenset[str]
    """First parts of the names that are not loaded yet."""


def used_by(names: Iterable[str]) -> Used:
    """All that these modules need in a box, themselves included."""
    named = list(names)
    roots: dict[tuple[str, str], None] = {}
    found = {name.partition(".")[0] for name in named}
    for name, imports in _followed(named, later=True):
        found.update(name.partition(".")[0] for name in (*imports.first, *imports.later))
        origin = origin_of(name, sys.modules.get(name))
        if origin.kind == "project" and not is_cops(name):
            roots[origin.root, origin.entry] = None
    return Used(roots=tuple(roots), missing=frozenset(name for name in found if name and name not in sys.modules))


@dataclass(frozen=True, slots=True)
class _Imports:
    """What one module imports: when it is imported itself, and later, by its functions."""

    first: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


def _followed(names: Iterable[str], *, later: bool = False) -> Iterator[tuple[str, _Imports]]:
    """These modules and all of the project that are imported with them, or `later`."""
    waiting, seen = list(names), set[str]()
    while waiting and len(seen) < _MOST:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        module = sys.modules.get(name)
        if is_cops(name):
            yield name, _Imports()
        elif isinstance(module, ModuleType) and origin_of(name, module).kind == "project":
            imports = _imports_of(module)
            yield name, imports
            waiting.extend((*imports.first, *imports.later) if later else imports.first)
            waiting.append(name.rpartition(".")[0] or name)


def holds_cop(module: ModuleType) -> bool:
    """Whether a module's namespace holds anything of AgentCop's: a cop, a class, a method of one."""
    return any(is_cops(home_of(value)) for value in list(names_in(module).values()))


def home_of(value: object) -> object:
    """The module that a value is of. Asks the value nothing: a proxy would begin to work, and a lazy module load."""
    kind = type(value)
    if issubclass(kind, ModuleType):
        return names_in(value).get("__name__")
    if kind is MethodType:
        return home_of(value.__self__)  # type: ignore[attr-defined]  # a method, as was just asked
    if kind is FunctionType:
        return value.__module__
    kind = value if issubclass(kind, type) else kind  # type: ignore[assignment]  # a class, as was just asked
    return type.__getattribute__(kind, "__module__")


def imported(statement: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
    """The modules that a statement may load, absolute: what `from` names may be one as well."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            yield alias.name
        return
    base = absolute(statement, package)
    yield base
    for alias in statement.names:
        yield f"{base}.{alias.name}"


def absolute(statement: ast.ImportFrom, package: str) -> str:
    """The module that `from … import` names, without dots before it."""
    if not statement.level:
        return statement.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - statement.level + 1]
    return ".".join([*base, *([statement.module] if statement.module else [])])


def _imports_of(module: ModuleType) -> _Imports:
    held = names_in(module)
    file = held.get("__file__")
    if not isinstance(file, str) or not file.endswith(".py"):
        return _Imports()
    try:
        found = os.stat(file)
    except OSError:
        return _Imports()
    return _read(file, found.st_mtime_ns, found.st_size, str(held.get("__package__") or ""))


@lru_cache(maxsize=2 * _MOST)
def _read(file: str, changed: int, size: int, package: str) -> _Imports:  # noqa: ARG001 -- part of the key
    try:
        with open(file, "rb") as opened:
            tree = ast.parse(opened.read())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return _Imports()
    first = {name: None for each in _at_import(tree) for name in imported(each, package)}
    every = (each for each in ast.walk(tree) if isinstance(each, ast.Import | ast.ImportFrom))
    later = {name: None for each in every for name in imported(each, package) if name not in first}
    return _Imports(tuple(first), tuple(later))


def _at_import(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The import statements that run when the module is imported."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and _is_for_types(node.test):
            waiting.extend(node.orelse)
            continue
        waiting.extend(child for child in ast.iter_child_nodes(node) if not isinstance(child, _LATER))


def _is_for_types(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"
