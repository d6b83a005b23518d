"""What makes a finding the same one after its file was edited or moved."""

from __future__ import annotations

import hashlib
import io
import tokenize
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentcop_scanner.finding import Finding

_LENGTH = 16
_LAYOUT = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)


_CLOSING = frozenset({")", "]", "}"})


def fingerprint(finding: Finding) -> str:
    """16 hex digits over rule, normalised snippet and function: neither line nor path is in it."""
    parts = (finding.rule, normalised(finding.snippet), finding.function)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]


def normalised(snippet: str) -> str:
    """The snippet without comments and layout: what a formatter or a new comment changes is not in it.

    Text that is no Python, or a piece of it that cannot stand alone, is normalised by its white space.
    """
    try:
        tokens = [
            token.string
            for token in tokenize.generate_tokens(io.StringIO(snippet).readline)
            if token.type not in _LAYOUT
        ]
    except (tokenize.TokenError, SyntaxError, ValueError):  # from 3.12 on also for a text it cannot take as UTF-8
        return " ".join(snippet.split())
    # A comma before a closing bracket is the formatter's.
    kept = [
        text for text, after in zip_longest(tokens, tokens[1:], fillvalue="") if text != "," or after not in _CLOSING
    ]
    return " ".join(kept) or " ".join(snippet.split())
