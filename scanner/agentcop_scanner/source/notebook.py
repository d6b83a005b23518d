"""The code of a Jupyter notebook as one module, with the place in the file of each character of it.

One module, because the cells share their names: what one cell takes in, another runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcop_scanner.data.jsonc import read_json
from agentcop_scanner.data.node import DataError
from agentcop_scanner.source.disk.problem import UnreadError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_scanner.data.node import Node

_MAGIC = re.compile(r"\s*(?:[%!?]|[\w.]{1,200}\?{1,2}\s*$)")
_ASSIGNED_MAGIC = re.compile(r"(\s*[\w., ]{1,200}=\s*)[%!](?!=)")
_OTHER_LANGUAGE = re.compile(r"\s*%%(?!time|timeit|capture|prun|python|python3|py)\w+")
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The code cells in order."""

    text: str
    """Python: magics are comments behind a `pass`, or nothing at all."""
    lines: tuple[int, ...]
    """The line of the file that each line of `text` stands on."""
    columns: tuple[tuple[int, ...], ...]
    """The column of the file, from 1, of each character of each line and of its end."""


def code_of(text: str) -> Code:
    """The code of a notebook. Raises UnreadError."""
    try:
        root = read_json(text, most=len(text))
    except DataError as error:
        raise UnreadError("unparsable", str(error)) from error
    cells = root.get("cells")
    if cells is None:
        raise UnreadError("unparsable", "has no cells")
    raw = text.split("\n")
    lines: list[str] = []
    numbers: list[int] = []
    columns: list[tuple[int, ...]] = []
    for cell in cells.items:
        for line, number, cols in _cell(cell, raw):
            lines.append(line)
            numbers.append(number)
            columns.append(cols)
    return Code(text="\n".join((*lines, "")), lines=tuple(numbers), columns=tuple(columns))


def _cell(cell: Node, raw: list[str]) -> Iterator[tuple[str, int, tuple[int, ...]]]:
    """The lines of one cell, each with its place; none of a cell that is no Python."""
    source = cell.get("source")
    if cell.text("cell_type") != "code" or source is None:
        return
    parts = source.items or (source,)
    first = next(iter(source.strings()), "")
    if _OTHER_LANGUAGE.match(first):
        return
    for part in parts:
        if not isinstance(part.scalar, str) or not part.scalar:
            continue
        place = part.place
        cols = _columns(raw[place.line - 1][place.col : place.end_col], place.col + 1)
        at = 0
        for line in part.scalar.removesuffix("\n").split("\n"):
            yield _python(line), place.line, tuple(cols[at : at + len(line) + 1]) or (place.col,)
            at += len(line) + 1


def _columns(literal: str, start: int) -> list[int]:
    """The column of each character that a JSON string holds; `literal` stands after its first quote."""
    cols: list[int] = []
    at = 0
    for escape in _ESCAPE.finditer(literal):
        cols.extend(range(start + at, start + escape.start()))
        # Two escapes of one character above U+FFFF count as two: a column off, in what nobody writes.
        cols.append(start + escape.start())
        at = escape.end()
    cols.extend(range(start + at, start + len(literal)))
    return cols


def _python(line: str) -> str:
    """A line as Python sees it: `pass` for a magic, so that a block of nothing but magics is still a block."""
    if _MAGIC.match(line):
        indent = line[: len(line) - len(line.lstrip())]
        return f"{indent}pass  # {line.strip()}"
    if found := _ASSIGNED_MAGIC.match(line):
        return f"{found[1]}None  # {line[found.end() :]}"
    return line
