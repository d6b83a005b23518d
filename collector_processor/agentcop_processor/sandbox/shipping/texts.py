"""A module's text as it runs, and where in it a function stands."""

from __future__ import annotations

import ast
import linecache
import sys
import tokenize
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.shipping.reasons import STAY, CannotTravel

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_TEXT: Final = 2_000_000  # characters
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_FILE: Final = f"keep it in a file {STAY}"


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of a module's text: a file, or one cell of a notebook."""

    text: str
    tree: ast.Module


@dataclass(frozen=True, slots=True)
class Found:
    """Where a function stands."""

    units: tuple[Unit, ...]
    """The whole text of its module."""
    node: _Function
    above: tuple[ast.AST, ...]
    """What it stands in, outermost first, without the module."""


def module_text(module: ModuleType, filename: str) -> tuple[Unit, ...]:
    """The module's text; `filename` is where a function of its says it stands. Raises CannotTravel."""
    cells = vars(module).get("_ih") if module.__name__ == "__main__" else None
    if isinstance(cells, list):  # IPython's history of what has run
        return tuple(unit for cell in cells if isinstance(cell, str) and (unit := _unit(cell)) is not None)
    try:
        with tokenize.open(filename) as opened:
            text = opened.read(_MAX_TEXT)
    except (OSError, SyntaxError, UnicodeDecodeError):
        text = "".join(linecache.getlines(filename))
    unit = _unit(text) if text and len(text) < _MAX_TEXT else None
    if unit is None:
        raise CannotTravel("its source text cannot be read", _FILE)
    return (unit,)


def find(function: FunctionType) -> Found:
    """Where `function` stands in its module's text, which must be what has been loaded. Raises CannotTravel."""
    module = sys.modules.get(function.__module__)
    if module is None or vars(module) is not function.__globals__:
        raise CannotTravel("its module is not the one that bears its name", _FILE)
    code = function.__code__
    units = module_text(module, code.co_filename)
    for unit in reversed(units):
        if not holds(unit, code):
            continue
        found = [each for each in _functions(unit.tree) if _name(each[0]) == code.co_name]
        found = [each for each in found if _first_line(each[0]) == code.co_firstlineno]
        if len(found) > 1:
            raise CannotTravel("there are several lambdas on its line", "name it with `def`")
        if found:
            return Found(units, *found[0])
    raise CannotTravel("its source text is not what has been loaded", "start the program again")


def _unit(text: str) -> Unit | None:
    try:
        return Unit(text, ast.parse(text))
    except (SyntaxError, ValueError, RecursionError):
        return None


def holds(unit: Unit, code: CodeType) -> bool:
    """Whether the text, compiled, has this very code."""
    try:
        waiting = [compile(unit.text, code.co_filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)]
    except (SyntaxError, ValueError, RecursionError):
        return False
    while waiting:
        each = waiting.pop()
        if each == code:
            return True
        waiting.extend(part for part in each.co_consts if isinstance(part, CodeType))
    return False


def _functions(tree: ast.Module) -> Iterator[tuple[_Function, tuple[ast.AST, ...]]]:
    waiting: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(tree, ())]
    while waiting:
        node, above = waiting.pop()
        inner = above if node is tree else (*above, node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _Function):
                yield child, inner
            waiting.append((child, inner))


def _name(node: _Function) -> str:
    return "<lambda>" if isinstance(node, ast.Lambda) else node.name


def _first_line(node: _Function) -> int:
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return min(node.lineno, *(each.lineno for each in decorators)) if decorators else node.lineno
