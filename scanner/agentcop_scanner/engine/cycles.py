"""Puts functions in an order in which each comes after those it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class _Search:
    """Tarjan's search for strongly connected components, without recursion."""

    def __init__(self, place: Mapping[str, int], edges: Mapping[str, Sequence[str]]) -> None:
        self.place = place
        self.edges = edges
        self.index: dict[str, int] = {}
        self.low: dict[str, int] = {}
        self.on_stack: set[str] = set()
        self.stack: list[str] = []
        self.found: list[list[str]] = []

    def start(self, name: str) -> None:
        """Goes through all that `name` leads to and that was not seen yet."""
        work = [(name, 0)]
        while work:
            current, at = work.pop()
            if at == 0:
                self.index[current] = self.low[current] = len(self.index)
                self.stack.append(current)
                self.on_stack.add(current)
            following = self._next(current, at)
            if following is not None:
                work += [(current, following[0]), (following[1], 0)]
                continue
            self._close(current)
            if work:
                self.low[work[-1][0]] = min(self.low[work[-1][0]], self.low[current])

    def _next(self, name: str, at: int) -> tuple[int, str] | None:
        """The next target that was not seen, with the place after it among the targets."""
        targets = self.edges.get(name, ())
        for position in range(at, len(targets)):
            target = targets[position]
            if target in self.place and target not in self.index:
                return position + 1, target
            if target in self.on_stack:
                self.low[name] = min(self.low[name], self.index[target])
        return None

    def _close(self, name: str) -> None:
        """Ends a node: what is above it on the stack is its component, if it is the first of one."""
        if self.low[name] != self.index[name]:
            return
        group: list[str] = []
        while not group or group[-1] != name:
            group.append(self.stack.pop())
            self.on_stack.discard(group[-1])
        self.found.append(sorted(group, key=self.place.__getitem__))


def components(names: Iterable[str], edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The strongly connected components of a graph, each after all that it leads to.

    The order depends on the order of `names` and `edges` alone. Inside a component names are in the order of `names`.
    """
    search = _Search({name: at for at, name in enumerate(names)}, edges)
    for name in search.place:
        if name not in search.index:
            search.start(name)
    return search.found
