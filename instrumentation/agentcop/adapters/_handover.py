"""Hands what was judged to the place where a framework parses: nobody rewrites it in between."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from agentcop_processor.call.passage import active_passage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_processor.call.passage import Passage

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Judged(Generic[_T]):
    """What is to be found at the place of parsing: the judged value, or the error that parsing raised."""

    place: object
    passage: Passage | None
    """The call it was judged for; where parsing failed there is none, and this is the call around it."""
    value: _T | None
    error: Exception | None


class Handover(Generic[_T]):
    """What waits for one framework's parsing, in this context. Make one a module: it holds a context variable."""

    def __init__(self, name: str) -> None:
        """`name`: the framework's."""
        # Innermost last: a callback may call tools before the tool it is told of has parsed. None: parsing is free.
        self._waiting: ContextVar[tuple[_Judged[_T] | None, ...]] = ContextVar(f"agentcop_judged_{name}", default=())

    def take(self, place: object) -> _T | None:
        """What was judged for this place and the call that runs, once; None: parse. Raises the kept error."""
        waiting = self._waiting.get()
        passage = active_passage()
        for number in reversed(range(len(waiting))):
            judged = waiting[number]
            if judged is None:
                return None
            if judged.place is place and judged.passage is passage:
                break
        else:
            return None
        self._waiting.set(waiting[:number])  # what stands behind was never asked for: its call ended early
        if judged.error is not None:
            raise judged.error
        return judged.value

    def leave(self, place: object, value: _T | None = None, error: Exception | None = None) -> None:
        """Leave it for `take`, and drop what nobody took while its call ran."""
        judged = _Judged(place, active_passage(), value, error)
        waiting = self._waiting.get() if judged.passage is not None else ()
        self._waiting.set((*(each for each in waiting if not _has_ended(each)), judged))

    @contextmanager
    def free(self) -> Iterator[None]:
        """In this block parsing is the framework's own."""
        token = self._waiting.set((*self._waiting.get(), None))
        try:
            yield
        finally:
            self._waiting.reset(token)


def _has_ended(judged: _Judged[_T] | None) -> bool:
    return judged is not None and judged.passage is not None and not judged.passage.running
