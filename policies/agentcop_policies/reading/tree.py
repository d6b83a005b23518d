"""A parsed policy before it has a meaning: nested nodes, each of which knows where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

Path = tuple[str | int, ...]
"""Keys and list indices from the root down."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file: line and column count from 1; line 0 names a place that has no line."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """`policy.yaml:14:5`, or the bare name of what has no lines."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Scalar:
    """One value."""

    value: str | int | float | bool | None
    text: str
    """As it was written, without quotes."""
    mark: Mark
    size: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Items:
    """A list."""

    nodes: tuple[Node, ...]
    mark: Mark
    size: int = 1
    """Nodes in here when every alias is written out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Entry:
    """A key's value, and where the key stands."""

    key: Mark
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Table:
    """A mapping from text."""

    entries: Mapping[str, Entry]
    mark: Mark
    size: int = 1
    """Nodes in here when every alias is written out."""

    def get(self, key: str) -> Node | None:
        """The value of `key`, or None."""
        entry = self.entries.get(key)
        return None if entry is None else entry.node


Node = Scalar | Items | Table


def child(node: Node | None, step: str | int) -> Node | None:
    """The node one step down, or None."""
    if isinstance(node, Table) and isinstance(step, str):
        return node.get(step)
    if isinstance(node, Items) and isinstance(step, int) and 0 <= step < len(node.nodes):
        return node.nodes[step]
    return None


def descend(node: Node | None, *path: str | int) -> Node | None:
    """The node at `path`, or None."""
    for step in path:
        node = child(node, step)
    return node


def where(root: Node, path: Path, *, key: bool = False) -> Mark:
    """Where `path` stands: its value, or with `key` its key; the nearest enclosing node where it does not exist.

    Steps that are not there are passed over, so a path may name the members of a union on its way.
    """
    node, mark = root, root.mark
    for step in path:
        below = child(node, step)
        if below is None:
            continue
        mark = below.mark
        if key and isinstance(node, Table) and isinstance(step, str):
            mark = node.entries[step].key
        node = below
    return mark


def plain(node: Node) -> object:
    """The values alone: dict, list, str, int, float, bool, None."""
    match node:
        case Scalar():
            return node.value
        case Items():
            return [plain(item) for item in node.nodes]
        case Table():
            return {key: plain(entry.node) for key, entry in node.entries.items()}
        case _:
            assert_never(node)


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node with its path, parents first."""
    yield path, node
    if isinstance(node, Items):
        for index, item in enumerate(node.nodes):
            yield from walk(item, (*path, index))
    elif isinstance(node, Table):
        for key, entry in node.entries.items():
            yield from walk(entry.node, (*path, key))


def is_text(value: str) -> bool:
    """Whether a string can be written as UTF-8: an escape in YAML can make half of a character."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def spell(path: Path) -> str:
    """`gate.allow[0].tool`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def planted(value: object, name: str, path: Path = ()) -> Node:
    """A tree of values that stand in no file; each mark is `name` and the path."""
    mark = Mark(f"{name} {spell(path)}".rstrip())
    if isinstance(value, Mapping):
        entries = {
            str(key): Entry(key=mark, node=planted(below, name, (*path, str(key)))) for key, below in value.items()
        }
        return Table(entries=entries, mark=mark)
    if isinstance(value, (list, tuple)):
        nodes = tuple(planted(below, name, (*path, index)) for index, below in enumerate(value))
        return Items(nodes=nodes, mark=mark)
    if value is None or isinstance(value, (str, int, float, bool)):
        return Scalar(value=value, text=str(value), mark=mark)
    message = f"{mark}: expected plain values, got {type(value).__name__}"
    raise TypeError(message)
