"""Whether a text that would travel holds what a log would hide: literals go into a box as they are written."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from agentcop_core.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

_REDACTOR: Final = Redactor()
_SAME: Final = frozenset({"SecretBytes", "SecretStr", "bytes", "str"})
"""Calls that give their first argument back, as far as a reader of the text is concerned."""
_OTHERWISE: Final = frozenset({"get", "getenv", "pop", "setdefault"})
"""Calls that give their second argument where they find nothing."""


@lru_cache(maxsize=256)
def secret_in(source: str) -> str:
    """Where in `source` a literal is a secret, by its name or its shape: its name, or words for it; "" for none."""
    for node in ast.walk(ast.parse(source)):
        text = _text(node)
        if text and _REDACTOR.redact_text(text) != text:
            return "one of its texts"
        for name, value in _named(node):
            if any(_REDACTOR.redact({name: each}) != {name: each} for each in _texts(value)):
                return name
    return ""


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names that a piece of the text gives to values: of variables, attributes, keys and parameters."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _paired(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
        yield from _paired(node.target, node.value)
    elif isinstance(node, ast.keyword) and node.arg is not None:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        yield from ((_text(key), value) for key, value in zip(node.keys, node.values, strict=True) if key is not None)
    elif isinstance(node, ast.arguments):
        places = [*node.posonlyargs, *node.args]
        defaults = [*zip(places[len(places) - len(node.defaults) :], node.defaults, strict=True)]
        defaults += [(place, each) for place, each in zip(node.kwonlyargs, node.kw_defaults, strict=True) if each]
        yield from ((place.arg, each) for place, each in defaults)


def _paired(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Tuple | ast.List):
        if isinstance(value, ast.Tuple | ast.List):
            for inner, each in zip(target.elts, value.elts, strict=False):
                yield from _paired(inner, each)
    elif isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Attribute):
        yield target.attr, value
    elif isinstance(target, ast.Subscript):
        yield _text(target.slice), value


def _texts(value: ast.expr) -> Iterator[str]:
    """The literals that a value may be, whatever it is when the text runs."""
    if text := _text(value):
        yield text
    elif isinstance(value, ast.BoolOp | ast.Tuple | ast.List | ast.Set):
        for each in value.values if isinstance(value, ast.BoolOp) else value.elts:
            yield from _texts(each)
    elif isinstance(value, ast.IfExp):
        yield from (*_texts(value.body), *_texts(value.orelse))
    elif isinstance(value, ast.Call):
        called = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        for each in value.args[:1] if called in _SAME else value.args[1:2] if called in _OTHERWISE else ():
            yield from _texts(each)


def _text(node: ast.AST) -> str:
    """What a literal says, also one that is written in parts; "" for what is none, or has something else in it."""
    if isinstance(node, ast.Constant):
        value = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
        return value if isinstance(value, str) else ""
    parts: list[ast.expr] = []
    if isinstance(node, ast.JoinedStr):
        parts = node.values
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    texts = [_text(each) for each in parts]
    return "".join(texts) if all(texts) else ""
