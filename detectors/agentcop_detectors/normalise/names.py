"""The tables that the decoders and `steps` work with, put together from all conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentcop_detectors.normalise.conventions import CONVENTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_detectors.normalise.conventions._interface import Amend
    from agentcop_detectors.step import StepKind

Wanted = tuple[str, int]
"""A word and the rank of one of its names: of several in a span the lowest rank holds, of equal ones the last."""

NUMBERS: Final = frozenset({"input_tokens", "output_tokens"})
"""Words that are counts; all others are text."""
_MOST: Final = 2**53
_IN_EVENT: Final = 1_000
"""Rank of what stands in an event: behind all attributes of the span."""
_SCOPES_HELD: Final = 1_000


def _wanted() -> dict[bytes, Wanted]:
    ranks: dict[str, int] = {}
    table: dict[bytes, Wanted] = {}
    for convention in CONVENTIONS:
        for word, keys in convention.keys.items():
            for key in keys:
                if key.encode() in table:
                    raise ValueError(f"{convention.name}: {key} is read already")
                rank = ranks.get(word, 0)
                ranks[word] = rank + 1
                table[key.encode()] = (word, rank)
    return table


def _merged(tables: list[Mapping[str, StepKind]]) -> dict[str, StepKind]:
    return {value: kind for table in reversed(tables) for value, kind in table.items()}


WANTED: Final = _wanted()
"""Attribute to word and rank."""
EVENTS: Final[dict[bytes, dict[bytes, Wanted]]] = {
    event.encode(): {key.encode(): (word, _IN_EVENT) for key, word in keys.items()}
    for convention in reversed(CONVENTIONS)
    for event, keys in convention.events.items()
}
"""Name of an event to what is read of it."""
OPERATIONS: Final = _merged([each.operations for each in CONVENTIONS])
SPAN_KINDS: Final = _merged([each.span_kinds for each in CONVENTIONS])
BEGINNINGS: Final = tuple(pair for each in CONVENTIONS for pair in each.beginnings)

_amends: dict[str, tuple[Amend, ...]] = {}


def amends_of(scope: str) -> tuple[Amend, ...]:
    """What corrects the spans of an instrumentation scope."""
    found = _amends.get(scope)
    if found is None:
        if len(_amends) >= _SCOPES_HELD:
            _amends.clear()
        found = _amends[scope] = tuple(
            each.amend for each in CONVENTIONS if each.amend is not None and scope.startswith(each.scopes)
        )
    return found


def put(found: dict[str, Any], ranks: dict[str, int], wanted: Wanted, value: str | float) -> None:
    """Take one value for a word; what is no count where a count belongs is not taken, all else becomes text."""
    word, rank = wanted
    if word in found and rank > ranks.get(word, 0):
        return
    if word in NUMBERS:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or not 0 <= value < _MOST:
            return
    elif not isinstance(value, str):
        value = str(value).removesuffix(".0")
    found[word] = value
    if rank or word in ranks:
        ranks[word] = rank  # rank 0 needs no entry
