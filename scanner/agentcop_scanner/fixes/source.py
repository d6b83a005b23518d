"""A Python file under repair: its text, its tree, and edits of the text that leave all else as it is."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_scanner.finding import Finding

_LAYOUT = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Edit:
    """Characters `start` to `end` of the text become `text`."""

    start: int
    end: int
    text: str


class Source:
    """One file's text and what is derived of it; read-only."""

    def __init__(self, text: str, tree: ast.Module) -> None:
        """`tree` is that of `text`."""
        self.text = text
        self.tree = tree

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line begins, as Python's parser counts lines."""
        return [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", self.text))]

    def offset(self, line: int, byte: int) -> int:
        """The place in the text of a line from 1 and a column in bytes of UTF-8, as trees have it."""
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return start + len(self.text[start:end].encode()[:byte].decode(errors="ignore"))

    def start(self, node: ast.expr | ast.keyword) -> int:
        """Where a node begins."""
        return self.offset(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.keyword) -> int:
        """Where a node ends."""
        return self.offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)

    def call(self, finding: Finding, wanted: Callable[[ast.Call], bool]) -> ast.Call | None:
        """The call that a finding is about: as `wanted` says, and at its place, else the smallest around it."""
        place = finding.place
        last = max(place.line, place.end_line)
        touching = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
            and node.lineno <= last
            and (node.end_lineno or node.lineno) >= place.line
            and wanted(node)
        ]
        touching.sort(key=lambda node: self.end(node) - self.start(node))
        return next((node for node in touching if self._at(node, finding)), touching[0] if touching else None)

    def _at(self, call: ast.Call, finding: Finding) -> bool:
        place = finding.place
        point = self._starts[place.line - 1] + place.col - 1 if place.line <= len(self._starts) else 0
        return self.start(call) == point

    @cached_property
    def tokens(self) -> list[tuple[int, int, str]]:
        """Start, end and text of each token that is neither layout nor comment."""
        return [
            (self._in_characters(token.start), self._in_characters(token.end), token.string)
            for token in tokenize.generate_tokens(io.StringIO(self.text, newline="").readline)
            if token.type not in _LAYOUT
        ]

    def _in_characters(self, at: tuple[int, int]) -> int:
        line, column = at
        return (self._starts[line - 1] if line <= len(self._starts) else len(self.text)) + column

    def before(self, at: int) -> tuple[int, int, str]:
        """The last token that ends at or before a place."""
        return max(token for token in self.tokens if token[1] <= at and token[2])


def applied(text: str, edits: list[Edit]) -> str:
    """`text` with all edits made. Of edits that overlap only the first in the text is made."""
    pieces: list[str] = []
    at = 0
    for edit in sorted(set(edits)):
        if edit.start < at:
            continue
        pieces += (text[at : edit.start], edit.text)
        at = edit.end
    return "".join((*pieces, text[at:]))
