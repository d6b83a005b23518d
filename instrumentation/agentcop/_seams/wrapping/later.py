"""The rest of a call's beginning, while a person is asked or a box is made: plain shapes block, async ones await."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from agentcop_core.errors import ToolBlocked

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_processor.call.approving import Held
    from agentcop_processor.call.passage import Passage
    from agentcop_processor.sandbox.boxing import Boxing

_T = TypeVar("_T")
_U = TypeVar("_U")


class Later(Generic[_T]):
    """What `begin` hands out for a held call in place of the step and its arguments. Used once, in one of two ways."""

    def __init__(
        self,
        held: Held | Boxing,
        go_on: Callable[[Passage], _T | Later[_T]],
        refused: Callable[[ToolBlocked], BaseException] = lambda blocked: blocked,
    ) -> None:
        """`go_on`: from the passage to what `begin` would have returned. `refused`: what to raise if there is none."""
        self._held = held
        self._go_on = go_on
        self._refused = refused

    def wait(self) -> _T:
        """Block this thread until it is decided."""
        try:
            passage = self._held.wait()
        except ToolBlocked as blocked:
            raise self._refused(blocked) from None
        return now(self._go_on(passage))

    async def awaited(self) -> _T:
        """Await it: the event loop goes on meanwhile."""
        try:
            passage = await self._held.awaited()
        except ToolBlocked as blocked:
            raise self._refused(blocked) from None
        begun = self._go_on(passage)
        return await begun.awaited() if isinstance(begun, Later) else begun

    def then(self, further: Callable[[_T], _U]) -> Later[_U]:
        """The same wait with one more step after it."""

        def go_on(passage: Passage) -> _U | Later[_U]:
            begun = self._go_on(passage)
            return begun.then(further) if isinstance(begun, Later) else further(begun)

        return Later(self._held, go_on, self._refused)


def now(begun: _T | Later[_T]) -> _T:
    """What is begun, blocking for it if it must be."""
    return begun.wait() if isinstance(begun, Later) else begun
