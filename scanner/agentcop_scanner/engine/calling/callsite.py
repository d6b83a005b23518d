"""One call, with everything in it looked at once."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agentcop_scanner.engine.values.value import CONSTANT, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_MAX_SHOWN = 40


@dataclass(slots=True, kw_only=True)
class CallSite:
    """A call with the values of its parts."""

    node: ast.Call
    dotted: str
    """What is called, by its dotted name: an import, a built-in, a method of a known class; "" if it has none."""
    method: str
    """The attribute that is called; "" if it is none."""
    receiver: Value | None
    callee: Value
    args: list[Value]
    keywords: dict[str, Value] = field(default_factory=dict)
    rest: Value | None = None
    """What `*args` and `**kwargs` give."""

    def argument(self, at: int, name: str = "") -> Value | None:
        """The argument at a position or under a name."""
        if name and name in self.keywords:
            return self.keywords[name]
        return self.args[at] if 0 <= at < len(self.args) else None

    def first(self) -> Value:
        """The first argument, by whatever name."""
        if self.args:
            return self.args[0]
        return next(iter(self.keywords.values()), CONSTANT)

    def everything(self) -> Iterator[Value]:
        """All arguments."""
        yield from self.args
        yield from self.keywords.values()
        if self.rest is not None:
            yield self.rest

    def keyword_node(self, name: str) -> ast.expr | None:
        """The expression given under a name."""
        return next((keyword.value for keyword in self.node.keywords if keyword.arg == name), None)

    @property
    def name(self) -> str:
        """The last part of the name of what is called."""
        return self.method or self.dotted.rpartition(".")[2]

    @property
    def shown(self) -> str:
        """The call, as the reader knows it."""
        text = spelled(self.node.func) or self.dotted or "call"
        return f"{text[-_MAX_SHOWN:]}(…)"


def spelled(node: ast.expr) -> str:
    """The names in a chain of attributes and calls: `self.db.cursor().execute` is `self.db.cursor.execute`."""
    parts: list[str] = []
    current: ast.expr = node
    while True:
        if isinstance(current, ast.Attribute):
            parts.append(current.attr)
            current = current.value
        elif isinstance(current, ast.Call):
            current = current.func
        elif isinstance(current, ast.Subscript | ast.Await):
            current = current.value
        else:
            break
    if isinstance(current, ast.Name):
        parts.append(current.id)
    return ".".join(reversed(parts))


def name_words(name: str) -> frozenset[str]:
    """The words that a name is made of, in lower case: `self._httpClient` is `self`, `http`, `client`."""
    return frozenset(word.lower() for word in _WORD.findall(name))
