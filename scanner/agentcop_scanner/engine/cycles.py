"""Puts functions in an order in which each comes after those it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def components(names: Iterable[str], edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The strongly connected components of a graph, each after all that it leads to; Tarjan's way, without recursion.

    The order depends on the order of `names` and `edges` alone. Inside a component names are in the order of `names`.
    """
    place = {name: at for at, name in enumerate(names)}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    on_stack: set[str] = set()
    stack: list[str] = []
    found: list[list[str]] = []
    for start in place:
        if start in index:
            continue
        work: list[tuple[str, int]] = [(start, 0)]
        while work:
            name, at = work.pop()
            if at == 0:
                index[name] = low[name] = len(index)
                stack.append(name)
                on_stack.add(name)
            targets = edges.get(name, ())
            for position in range(at, len(targets)):
                target = targets[position]
                if target not in place:
                    continue
                if target not in index:
                    work += [(name, position + 1), (target, 0)]
                    break
                if target in on_stack:
                    low[name] = min(low[name], index[target])
            else:
                _close(name, index, low, stack, on_stack, found)
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
    for group in found:
        group.sort(key=place.__getitem__)
    return found


def _close(  # noqa: PLR0913  # the state of the search
    name: str, index: dict[str, int], low: dict[str, int], stack: list[str], on_stack: set[str], found: list[list[str]]
) -> None:
    """Ends a node: what is above it on the stack is its component, if it is the first of one."""
    if low[name] != index[name]:
        return
    group: list[str] = []
    while True:
        last = stack.pop()
        on_stack.discard(last)
        group.append(last)
        if last == name:
            break
    found.append(group)
