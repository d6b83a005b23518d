"""Text that is put together: which pieces can steer the whole, and what the literal part looks like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentcop_scanner.engine.values.value import MAX_TEXT, NONE, Marks, Taints, Value, add, as_piece, cleared, literal

if TYPE_CHECKING:
    from collections.abc import Iterable

_HOST_OPEN = re.compile(r"^\s*[a-z][a-z0-9+.-]{1,12}://(\{\})?$", re.IGNORECASE)
"""A scheme and no host yet: the next piece is the host."""
_SQL_HEAD = re.compile(
    r"\b(select\b[^;]{0,300}?\bfrom\b|insert\s+(or\s+\w+\s+)?into\b|update\s+\S+\s+set\b|delete\s+from\b|merge\s+into\b"
    r"|(create|drop|alter|truncate)\s+(or\s+replace\s+)?(temp(orary)?\s+|virtual\s+|unique\s+|external\s+)?"
    r"(table|view|index|schema|database|type|function|extension|role|user|sequence|collection|keyspace)\b"
    r"|copy\s+\S+\s+(to|from)\b|pragma\s+\w|attach\s+database\b|grant\s+\w+\s+on\b|with\s+\w+\s+as\s*\(|explain\s+\w"
    r"|describe\s+\{\}|show\s+(tables|columns|create|databases|schemas|index)|use\s+\{\}\s*;?$|call\s+\w+\(|set\s+role\b"
    r"|load_extension|read_csv)",
    re.IGNORECASE,
)
_SQL_PIECE = re.compile(
    r"(json_extract|json_each|json_type|jsonb?_path|->>?\s*'|\bwhere\b.{0,80}(=|\blike\b|\bin\b)|\bin\s*\(\{\}\)"
    r"|\border\s+by\s|\bgroup\s+by\s|\blike\s+'|\bbetween\s+'|\s=\s*\?|\s=\s*%s|\binner\s+join\b|\bleft\s+join\b"
    r"|\bmatch\s+\('|\bvalues\s*\(|\bhaving\s)",
    re.IGNORECASE,
)
_CYPHER = re.compile(
    r"(\bmatch\s*\(|\bmerge\s*\(|\bcreate\s*\(\w*:|\bcall\s+db\.|\bcall\s+apoc\.|\bdetach\s+delete\b|\bunwind\s)",
    re.IGNORECASE,
)
_NAMES_NEXT = re.compile(
    r"\b(from|into|table|update|join|exists|index|view|schema|database|by|describe|use|truncate|copy)\s+[\"`\[]?(\{\}\.)?$",
    re.IGNORECASE,
)
"""A name follows in a query."""
_FENCES = (">", '"' * 3, "```", "---", "###", "===")
_PROSE = re.compile(r"\b(error|failed|cannot|could not|please|invalid|you are|the following)\b", re.IGNORECASE)


def looks_like_sql(text: str) -> bool:
    """Whether literal text is a statement of SQL, or enough of one."""
    return bool(_SQL_HEAD.search(text)) and not _PROSE.search(text)


def looks_like_sql_piece(text: str) -> bool:
    """Whether literal text is a condition or clause that belongs in a statement."""
    return len(text) <= MAX_TEXT and bool(_SQL_PIECE.search(text)) and not _PROSE.search(text)


def looks_like_cypher(text: str) -> bool:
    """Whether literal text is a query of a graph database."""
    return bool(_CYPHER.search(text)) and not _PROSE.search(text)


def _piece_marks(before: str) -> Marks:
    """What a piece can no longer do because of the text before it."""
    if not before:
        return NONE
    marks = NONE if _HOST_OPEN.match(before) else cleared("url")
    if before.rstrip("\n ").endswith(_FENCES):
        marks |= cleared("prompt")
    return marks | {"#identifier"} if _NAMES_NEXT.search(before) else marks


def concatenated(pieces: Iterable[Value], is_a: str = "") -> Value:
    """Text of pieces, one after another. Only what comes first can be all of it; a host that is given stays given."""
    taints: Taints = {}
    text = ""
    constant = True
    parts: list[str] = []
    for piece in pieces:
        if piece.taints:
            add(taints, as_piece(piece.taints, _piece_marks(text)) if text else piece.taints)
            constant = False
        inner = piece.text if not isinstance(piece.const, int | float) else str(piece.const)
        shown = f"{inner}{{}}" if piece.taints and inner else ("{}" if piece.taints or not inner else inner)
        if piece.const == "":
            shown = ""
        text = (text + shown)[:MAX_TEXT]
        if isinstance(piece.const, str | int | float) and constant:
            parts.append(str(piece.const))
        else:
            constant = False
    if constant and sum(map(len, parts)) <= MAX_TEXT:
        return literal("".join(parts))
    return Value(taints, text=text, is_a=is_a)


def joined_path(base: Value, pieces: Iterable[Value], is_a: str = "pathlib.Path") -> Value:
    """A path below a base. The base stays what it is, the others are pieces of it."""
    taints: Taints = dict(base.taints)
    text = base.text
    for piece in pieces:
        add(taints, as_piece(piece.taints, cleared("url")))
        text = f"{text}/{piece.text}"[:MAX_TEXT]
    return Value(taints, text=text, is_a=is_a)
