"""A piece of structured data and where it stands in its file."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentcop_scanner.finding import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

Scalar = str | bool | None
"""Numbers stay as they are written; no rule counts with them."""

MAX_CHARS: Final = 2 * 1024 * 1024
MAX_DEPTH: Final = 100
MAX_NODES: Final = 200_000


class DataError(ValueError):
    """The text is no JSON, YAML or TOML, or goes over a limit. Its words name no content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of a mapping and what stands under it."""

    key: str
    """"" for a key that is not a scalar."""
    place: Place
    """Of the key."""
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """A scalar, a list or a mapping. A YAML alias is the node it names, shared."""

    place: Place
    scalar: Scalar = None
    items: tuple[Node, ...] = ()
    entries: tuple[Entry, ...] = ()
    """Every key as it stands, duplicates too: which of them a reader takes is the reader's choice."""

    def get(self, *path: str) -> Node | None:
        """What stands under a path of keys; of a key that stands twice the last, as most readers take it."""
        node: Node | None = self
        for key in path:
            node = next((entry.node for entry in reversed(node.entries) if entry.key == key), None) if node else None
        return node

    def text(self, *path: str) -> str:
        """The string under a path of keys; "" if there is none."""
        found = self.get(*path)
        return found.scalar if found is not None and isinstance(found.scalar, str) else ""

    def strings(self) -> tuple[str, ...]:
        """The strings of a list, or the one string that stands where a list could."""
        if isinstance(self.scalar, str):
            return (self.scalar,)
        return tuple(item.scalar for item in self.items if isinstance(item.scalar, str))

    def walk(self) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Every node below and this one, with the keys that lead there; each once, however many aliases name it."""
        seen: set[int] = set()
        waiting: list[tuple[tuple[str, ...], Node]] = [((), self)]
        while waiting:
            path, node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield path, node
            waiting.extend((path, item) for item in reversed(node.items))
            waiting.extend(((*path, entry.key), entry.node) for entry in reversed(node.entries))


class Lines:
    """Turns offsets of a text into places. Lines end as Python's own do: LF, CR LF or CR."""

    __slots__ = ("_starts",)

    def __init__(self, text: str) -> None:
        starts = [0]
        at = 0
        for line in text.replace("\r\n", "\n\n").replace("\r", "\n").split("\n"):
            at += len(line) + 1
            starts.append(at)
        # CR LF became two ends of which the first is none: the offsets stay right, the empty line between goes.
        self._starts = [start for start in starts[:-1] if not (start and text[start - 1 : start + 1] == "\r\n")]

    def place(self, start: int, end: int) -> Place:
        """The place of `text[start:end]`."""
        line, last = bisect_right(self._starts, start), bisect_right(self._starts, max(start, end - 1))
        return Place(
            line=line,
            col=start - self._starts[line - 1] + 1,
            end_line=last,
            end_col=end - self._starts[last - 1],
        )
