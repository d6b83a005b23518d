"""A module's text as it runs, taken apart once, and where in it a function stands."""

from __future__ import annotations

import ast
import linecache
import os
import sys
import tokenize
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.shipping.reasons import AGAIN, STAY, CannotTravel
from agentcop_processor.sandbox.shipping.text.bindings import annotated, bound_by, names_read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Paths stay text: those of modules are.
# ruff: noqa: PTH116

_MAX_TEXT: Final = 2_000_000  # characters
_MAX_TEXTS: Final = 64  # modules whose text is remembered
_FILE: Final = f"keep it in a file {STAY}"
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a function stands."""

    node: _Function
    above: tuple[ast.AST, ...]
    """What it stands in, outermost first, without the module."""


class Text:
    """One file, or the cells of a notebook one after the other. What it says does not change."""

    def __init__(self, pieces: Sequence[str], filename: str) -> None:
        """`pieces`: none of them but what Python can read. Raises CannotTravel."""
        self.filename = filename
        self.statements: list[ast.stmt] = []
        self._standing: dict[tuple[str, int, int], list[Standing]] = {}
        self._pieces: dict[CodeType, int] = {}
        """Every code in it, and the number of the last piece that has it."""
        for number, piece in enumerate(pieces):
            try:
                tree = ast.parse(piece)
                code = compile(piece, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            except (SyntaxError, ValueError, RecursionError):
                continue  # a cell that never ran; of a file nothing is left to be found
            self.statements.extend(tree.body)
            self._pieces.update(dict.fromkeys(_codes(code), number))
            for each in _functions(tree):
                self._standing.setdefault((_name(each.node), _first_line(each.node), number), []).append(each)
        self.binding: dict[str, list[int]] = {}
        """The numbers of the statements that bind each name of the module."""
        for number, statement in enumerate(self.statements):
            for name in bound_by(statement):
                self.binding.setdefault(name, []).append(number)
        self._reads: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
        self.made: dict[object, tuple[str, tuple[str, ...]]] = {}
        """Slices that were made of it, by what is in them, with the modules that they import."""

    def holds(self, code: CodeType) -> bool:
        """Whether this very code stands here."""
        return code in self._pieces

    def find(self, code: CodeType) -> Standing:
        """Where the code of a function stands. Raises CannotTravel."""
        number = self._pieces.get(code)
        if number is None:
            raise CannotTravel("its source text is not what has been loaded", AGAIN)
        found = self._standing.get((code.co_name, code.co_firstlineno, number), [])
        if len(found) != 1:
            raise CannotTravel("there are several functions of its name on its line", "name it with `def`")
        return found[0]

    def reads(self, number: int) -> tuple[frozenset[str], frozenset[str]]:
        """The names that a statement reads, and those that only its annotations do. Raises CannotTravel."""
        known = self._reads.get(number)
        if known is None:
            statement = self.statements[number]
            known = self._reads[number] = (names_read(statement), annotated(statement))
        return known


_texts: dict[str, tuple[object, Text]] = {}


def text_of(module: ModuleType, filename: str) -> Text:
    """The module's text; `filename` is where a function of its says it stands. Raises CannotTravel."""
    cells = vars(module).get("_ih") if module.__name__ == "__main__" else None
    stamp: object
    if isinstance(cells, list):  # IPython's history of what has run
        filename, stamp = "<cells>", tuple(cell for cell in cells if isinstance(cell, str))
    else:
        try:
            found = os.stat(filename)
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            stamp = tuple(linecache.getlines(filename))
    known = _texts.get(filename)
    if known is not None and known[0] == stamp:
        return known[1]
    made = Text(stamp if isinstance(cells, list) else (_read(filename),), filename)  # type: ignore[arg-type]  # as above
    if len(_texts) >= _MAX_TEXTS:
        _texts.pop(next(iter(_texts)), None)
    _texts[filename] = (stamp, made)
    return made


def text_around(function: FunctionType) -> Text:
    """The text of a function's module. Raises CannotTravel."""
    module = sys.modules.get(function.__module__)
    if module is None or vars(module) is not function.__globals__:
        raise CannotTravel("its module is not the one that bears its name", _FILE)
    return text_of(module, function.__code__.co_filename)


def _read(filename: str) -> str:
    try:
        with tokenize.open(filename) as opened:
            text = opened.read(_MAX_TEXT)
    except (OSError, SyntaxError, UnicodeDecodeError):
        text = "".join(linecache.getlines(filename))
    if not text or len(text) >= _MAX_TEXT:
        raise CannotTravel("its source text cannot be read", _FILE)
    return text


def _codes(code: CodeType) -> Iterator[CodeType]:
    waiting = [code]
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(part for part in each.co_consts if isinstance(part, CodeType))


def _functions(tree: ast.Module) -> Iterator[Standing]:
    waiting: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(tree, ())]
    while waiting:
        node, above = waiting.pop()
        inner = above if node is tree else (*above, node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _Function):
                yield Standing(child, inner)
            waiting.append((child, inner))


def _name(node: _Function) -> str:
    return "<lambda>" if isinstance(node, ast.Lambda) else node.name


def _first_line(node: _Function) -> int:
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return min(node.lineno, *(each.lineno for each in decorators)) if decorators else node.lineno
