"""A function behind the gate: same name, signature and shape; its body runs only on a verdict."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from agentcop._seams.wrapping.binding import Binding
from agentcop._seams.wrapping.boxed import InBox
from agentcop._seams.wrapping.dress import dress
from agentcop._seams.wrapping.later import Later
from agentcop._seams.wrapping.shapes import shaped
from agentcop_core.errors import NotArmed
from agentcop_processor.call.passage import Passage
from agentcop_processor.call.seam import admission
from agentcop_processor.call.unjudged.invalid import log_invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from agentcop._seams.wrapping.step import Begun
    from agentcop_processor.gate import Gate
    from agentcop_processor.sandbox.parcel import Parcel

_SEAM = "__agentcop_seam__"


class FunctionSeam:
    """Where the calls of one guarded function pass. Immutable but for `gates`, which only grows."""

    __slots__ = ("_bound_first", "_function", "_live", "binding", "gates", "guarded", "name")

    def __init__(self, function: Callable[..., Any], name: str, live: Collection[str]) -> None:
        """`name` is the tool's name in policies, fixed here: renaming the function later changes nothing.

        `live` names parameters that the tool shares with its caller. Raises NotArmed if it has no such parameter.
        """
        self.name = name
        self._live = frozenset(live)
        self._function = function
        self.gates: tuple[Gate, ...] = ()
        self.guarded: object = None
        self._bound_first = _is_method(function)
        self.binding = Binding(function, skip_first=self._bound_first)
        if unknown := self._live - set(self.binding.signature.parameters):
            raise NotArmed(f"{name} has no parameter {', '.join(sorted(unknown))} to share with its caller")

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun | Later[Begun]:
        """Judge the call; the arguments handed on are the frozen ones."""
        first: tuple[Any, ...] = ()
        if self._bound_first:
            first, args = args[:1], args[1:]
        try:
            named = self.binding.bind(args, kwargs)
        except TypeError as error:
            log_invalid(self.name, error, self.gates)
            raise
        passage = admission(self.name, named, self.gates, live=self._live, ship=self._ship)
        if passage is None:
            return None, (*first, *args), kwargs
        if not isinstance(passage, Passage):
            return Later(passage, lambda granted: self._entered(granted, first, len(args)))
        return self._entered(passage, first, len(args))

    def _entered(self, passage: Passage, first: tuple[Any, ...], positional: int) -> Begun | Later[Begun]:
        run_args, run_kwargs = self.binding.unbind(passage.enter(), positional)
        if passage.box is not None:
            return InBox(passage, run_args, run_kwargs)
        return passage, (*first, *run_args), run_kwargs

    def _ship(self) -> Parcel:
        """Raises NotShippable."""
        from agentcop_processor.sandbox.shipping import ship_function

        return ship_function(self._function)


def guard(function: Callable[..., Any], name: str, gate: Gate, live: Collection[str] = ()) -> Callable[..., Any]:
    """`function` behind `gate`, as a new function; guarding one again adds the gate to it and returns it as it is."""
    seam = _seam_of(function)
    if seam is not None:
        if gate not in seam.gates:
            seam.gates = (*seam.gates, gate)
        return function
    seam = FunctionSeam(function, name, live)
    seam.gates = (gate,)
    guarded = shaped(function, seam.begin)
    dress(guarded, function)
    seam.guarded = guarded
    setattr(guarded, _SEAM, seam)
    return guarded


def is_guarded(function: object) -> bool:
    """Whether `function` is one that `guard` made."""
    return _seam_of(function) is not None


def _seam_of(function: object) -> FunctionSeam | None:
    """The seam of a function that `guard` made; None for one that only bears its attributes, as `wraps` copies them."""
    bare = getattr(function, "__func__", function)
    seam = getattr(bare, _SEAM, None)
    return seam if isinstance(seam, FunctionSeam) and seam.guarded is bare else None


def _is_method(function: Callable[..., Any]) -> bool:
    """Whether this is a function in a class body: its first parameter is the object, not an argument."""
    if not inspect.isfunction(function):
        return False
    owner = function.__qualname__.rpartition(".")[0]
    first = next(iter(function.__code__.co_varnames[: function.__code__.co_argcount]), "")
    return bool(owner) and not owner.endswith("<locals>") and first in {"self", "cls"}
