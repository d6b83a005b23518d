"""A call whose body runs in a box: what its caller is answered comes from there, and the body never runs here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from agentcop._seams.wrapping.later import Later
from agentcop._seams.wrapping.step import Answered, Begun
from agentcop_core.errors import ToolBlocked
from agentcop_processor.sandbox.boxing import run_boxed, run_boxed_async

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_processor.call.passage import Passage
    from agentcop_processor.sandbox.boxes.answer import Given


class InBox(Later[Begun]):
    """What `begin` hands out in place of a step: it runs the body in the call's box and answers the caller."""

    def __init__(self, passage: Passage, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """`passage`: entered, and its box is had. The arguments are the judged ones, as the body takes them."""
        self._passage = passage
        self._args = args
        self._kwargs = kwargs

    def wait(self) -> NoReturn:
        """Block until the box has answered. Raises `Answered`, or what the tool raised."""
        passage = self._passage
        passage.started()
        try:
            given = run_boxed(passage, self._args, self._kwargs)
        except BaseException as error:
            _ended(passage, error)
            raise
        raise _answered(passage, given)

    async def awaited(self) -> NoReturn:
        """The same, awaited."""
        passage = self._passage
        passage.started()
        try:
            given = await run_boxed_async(passage, self._args, self._kwargs)
        except BaseException as error:
            _ended(passage, error)
            raise
        raise _answered(passage, given)

    def body(self) -> object:
        """What the tool gives, for a framework that calls this in the body's place and records the rest itself."""
        return _value(run_boxed(self._passage, self._args, self._kwargs))

    async def awaited_body(self) -> object:
        """The same, awaited."""
        return (await run_boxed_async(self._passage, self._args, self._kwargs)).value

    def then(self, further: Callable[[Begun], Any]) -> Later[Any]:  # noqa: ARG002 -- nothing comes after the answer
        """Itself: the answer is the end of the call."""
        return self


def _ended(passage: Passage, error: BaseException) -> None:
    if isinstance(error, ToolBlocked):
        passage.suspend()  # its refusal is recorded already
    else:
        passage.failed(error)


def _answered(passage: Passage, given: Given) -> Answered:
    passage.returned(given.value)
    return Answered(_value(given))


def _value(given: Given) -> object:
    return _again(given.value) if given.awaited else given.value


async def _again(value: object) -> object:
    """Something to await, as the tool gives where it runs here."""
    return value
