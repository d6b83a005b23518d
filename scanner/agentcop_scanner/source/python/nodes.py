"""The one walk over a tree: its nodes by type, in the order of the source."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeVar, cast

from agentcop_scanner.source.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

Node = TypeVar("Node", bound=ast.AST)

# Hold no nodes, or none that say anything their parent does not say too.
_DULL = words("ctx op ops type_comment kind type_ignores id attr level simple conversion module asname arg")
_LEAVES = (ast.Constant, ast.alias, ast.Global, ast.Nonlocal)
# What is a name in all other classes is a node in these.
_NAMED = words("TypeAlias")


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    if issubclass(kind, _LEAVES):
        return ()
    plain = {"name", "rest"} if kind.__name__ not in _NAMED else set()
    found = [name for name in kind._fields if name not in _DULL and name not in plain]
    return tuple(sorted(found, key=lambda name: name != "decorator_list"))  # which stand before all else


_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly under a node, in the order of the source; contexts and operators are left out."""
    kind = node.__class__
    fields = _FIELDS.get(kind)
    if fields is None:
        fields = _FIELDS[kind] = _fields(kind)
    found: list[ast.AST] = []
    for name in fields:
        value = getattr(node, name, None)
        if value.__class__ is list:
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


class Nodes:
    """Every node of a tree by its type. Made once a module, so that no rule walks the tree by itself."""

    __slots__ = ("_by_type",)

    def __init__(self, tree: ast.AST) -> None:
        by_type: dict[type[ast.AST], list[ast.AST]] = {}
        stack = [tree]
        while stack:
            node = stack.pop()
            kind = node.__class__
            seen = by_type.get(kind)
            if seen is None:
                by_type[kind] = [node]
            else:
                seen.append(node)
            fields = _FIELDS.get(kind)
            if fields is None:
                fields = _FIELDS[kind] = _fields(kind)
            # the last child goes on the stack first; as in `children`, which is too slow here for a call per node
            for name in reversed(fields):
                value = getattr(node, name, None)
                if value.__class__ is list:
                    stack += [item for item in reversed(value) if isinstance(item, ast.AST)]
                elif isinstance(value, ast.AST):
                    stack.append(value)
        self._by_type = by_type

    def of(self, kind: type[Node]) -> list[Node]:
        """All nodes of exactly this class, in the order of the source."""
        return cast("list[Node]", self._by_type.get(kind, []))


def under(node: ast.AST, *, into_functions: bool = True) -> Iterator[ast.AST]:
    """A node and all that is under it, in the order of the source; without the bodies of functions in it if asked."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        inner = isinstance(current, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
        if into_functions or current is node or not inner:
            found = children(current)
            found.reverse()
            stack += found
