"""Command lines as bash's grammar reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_core.locks import IMPORTING

if TYPE_CHECKING:
    from tree_sitter import Language, Node

MAX_COMMAND: Final = 16_384
"""Characters of the longest command line that is looked at."""

_language: list[Language] = []


def parse(source: bytes) -> Node:
    """The root of the syntax tree; `has_error` where the text is no command line. Never raises."""
    # 25 ms that a process which meets no command line need not pay.
    with IMPORTING:
        import tree_sitter

    if not _language:
        with IMPORTING:
            import tree_sitter_bash

        _language.append(tree_sitter.Language(tree_sitter_bash.language()))
    return tree_sitter.Parser(_language[0]).parse(source).root_node
