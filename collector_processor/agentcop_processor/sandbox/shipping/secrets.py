"""Whether a text that would travel holds what a log would hide: literals go into a box as they are written."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from agentcop_core.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

_REDACTOR: Final = Redactor()


@lru_cache(maxsize=256)
def secret_in(source: str) -> str:
    """Where in `source` a literal is a secret, by its name or its shape: its name, or words for it; "" for none."""
    for node in ast.walk(ast.parse(source)):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if _REDACTOR.redact_text(text) != text:
            return "one of its texts"
        for name, value in _named(node):
            if isinstance(value, ast.Constant) and _hides(name, value.value):
                return name
    return ""


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value
    elif isinstance(node, ast.keyword) and node.arg is not None:
        yield node.arg, node.value


def _hides(name: str, value: object) -> bool:
    said = {name: value.decode("latin-1") if isinstance(value, bytes) else value}
    return isinstance(value, str | bytes) and _REDACTOR.redact(said) != said
