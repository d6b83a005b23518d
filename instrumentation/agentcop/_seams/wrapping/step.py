"""What stands around one call, and how it begins: between the wrappers of `shapes` and what they ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from agentcop._seams.wrapping.later import Later


class Step(Protocol):
    """What surrounds one call; current from the moment `begin` hands it out."""

    def started(self) -> object:
        """The work begins, and `returned` or `failed` will follow, whatever raises. `resume` says so too.

        Between `begin` and this a signal handler may raise, and nobody would tell the step that its call is over.
        """

    def resume(self) -> object:
        """Make it current again, before a further piece of the work."""

    def suspend(self) -> object:
        """Give the caller its own context back."""

    def returned(self, result: object) -> object:
        """The work is done; may raise in place of the result."""

    def failed(self, error: BaseException) -> object:
        """The work raised; may raise something else in its place."""


class Answered(Exception):  # noqa: N818 -- not an error: how `begin` says that the call is not to be made
    """Raised by `begin` alone: the caller gets `answer` in place of a result; a stream gives it as its one item."""

    def __init__(self, answer: object) -> None:
        """`answer`: a framework's own refusal."""
        super().__init__()
        self.answer = answer


Begun = tuple[Step | None, tuple[Any, ...], dict[str, Any]]
"""The step (None: nobody watches) and the arguments to run."""

Begin = Callable[[tuple[Any, ...], dict[str, Any]], "Begun | Later[Begun]"]
"""From the caller's arguments to what is begun; `Later` while a person is asked, which async shapes await.

Raises to refuse; raises `Answered` to answer in the tool's place.
"""


class Nested:
    """Two steps around one call: an agent's run inside the tool call that another agent made."""

    def __init__(self, outer: Step, inner: Step) -> None:
        """Both are current already, `inner` inside `outer`."""
        self._outer = outer
        self._inner = inner

    def started(self) -> None:
        """Outer first."""
        self._outer.started()
        self._inner.started()

    def resume(self) -> None:
        """Outer first."""
        self._outer.resume()
        self._inner.resume()

    def suspend(self) -> None:
        """Inner first."""
        self._inner.suspend()
        self._outer.suspend()

    def saw(self, item: object) -> None:
        """The outer first."""
        for step in (self._outer, self._inner):
            if (see := seeing(step)) is not None:
                see(item)

    def returned(self, result: object) -> None:
        """The outer fails if the inner raises in place of its result."""
        try:
            self._inner.returned(result)
        except BaseException as error:
            self._outer.failed(error)
            raise
        self._outer.returned(result)

    def failed(self, error: BaseException) -> None:
        """The outer sees what the inner raises instead, if it does."""
        try:
            self._inner.failed(error)
        except BaseException as instead:
            self._outer.failed(instead)
            raise
        self._outer.failed(error)


def seeing(step: object) -> Callable[[object], None] | None:
    """How to show a step the items of its stream; None: it does not look at them."""
    return getattr(step, "saw", None)
