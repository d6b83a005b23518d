"""The thorough copy: any arguments, however hostile, to values that run and values that are judged.

No method of a class that is not Python's own is called: types are read with `type(x)`, contents through the methods
of the built-in bases, object state through `state`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcop_core.canonical.containers import CONTAINERS, copy_record, copy_subclass
from agentcop_core.canonical.leaves import LEAVES, Pair, binary, integer, real, weight
from agentcop_core.canonical.refused import MAX_DEPTH, ArgumentRefused, exact_name, refusal
from agentcop_core.canonical.state import ancestry, derives, is_enum, is_record, layout, read_state, type_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Walk:
    """One walk over one call's arguments, under one budget. Every method may raise ArgumentRefused."""

    __slots__ = ("_argument", "_left", "_limit", "_shared", "live", "opaque")

    def __init__(self, max_bytes: int, shared: Collection[str] = ()) -> None:
        """`max_bytes`: the budget; copied bytes and elements are charged before they are copied.

        `shared`: names of arguments that are live objects whatever they are.
        """
        self._limit = self._left = max_bytes
        self._shared = shared
        self._argument: str | None = None
        self.live = 0
        """How many live objects were met so far."""
        self.opaque: list[str] = []
        """Names of the arguments that hold them."""

    def arguments(self, given: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
        """The values that run and the plain form that is judged, of an exact dict."""
        self.charge(2 * len(given))
        values: dict[str, object] = {}
        plain: dict[str, object] = {}
        for given_name, value in given.items():
            self._argument = argument = exact_name(given_name)
            shown = self.name(argument)
            if shown in plain:
                raise self.refusal("is given twice")
            before = self.live
            try:
                values[argument], plain[shown] = self._live(value) if argument in self._shared else self.pair(value, 1)
            except ArgumentRefused:
                raise
            except Exception as fault:  # whatever an argument does, the call is refused
                raise self.refusal(f"could not be copied ({type_name(type(fault))})") from None
            if self.live != before:
                self.opaque.append(argument)
        self._argument = None
        return values, plain

    def refusal(self, problem: str) -> ArgumentRefused:
        """To be raised: `problem` said of the argument that is being walked."""
        return refusal(self._argument, problem)

    def charge(self, size: int) -> None:
        """Take `size` bytes from the budget: never more than the canonical form or the copy will need."""
        self._left -= size
        if self._left < 0:
            raise self.refusal(f"takes the call over the limit of {self._limit} bytes")

    def text(self, text: str) -> str:
        """An exact string, charged, that UTF-8 can carry."""
        self.charge(len(text) + 2)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise self.refusal("holds a lone surrogate, which no UTF-8 text can carry") from None
        return text

    def name(self, key: str) -> str:
        """A string key as the plain form writes it: one `$` more if it begins with one."""
        self.text(key)
        return "$" + key if key[:1] == "$" else key

    def pair(self, value: Any, depth: int) -> Pair:  # noqa: ANN401, PLR0911 -- any value; one case a kind
        """What runs and what is judged, of one value."""
        kind = type(value)
        if kind is str:
            return value, self.text(value)
        if value is None or kind is bool:
            return value, value
        if kind is int:
            self.charge(value.bit_length() // 4)
            return value, integer(value)
        if kind is float:
            return value, real(value)
        if depth > MAX_DEPTH:
            raise self.refusal(f"is nested deeper than the limit of {MAX_DEPTH} levels")
        if type(kind) is not type:  # a table look-up would ask the metaclass's hash
            return self._instance(value, kind, depth)
        if leaf := LEAVES.get(kind):
            self.charge(weight(value, kind))
            return self._judged(leaf(value)) or self._live(value)
        if copy := CONTAINERS.get(kind):
            return copy(self, value, depth) or self._live(value)
        return self._instance(value, kind, depth)

    def _judged(self, pair: Pair | None) -> Pair | None:
        if pair is not None and type(pair[1]) is str:
            self.text(pair[1])
        return pair

    def _live(self, value: object) -> Pair:
        self.live += 1
        shown = type_name(type(value))
        self.charge(len(shown))
        return value, {"$opaque": shown}

    def _instance(self, value: Any, kind: type, depth: int) -> Pair:  # noqa: ANN401, PLR0911 -- as `pair`
        order = ancestry(kind)
        if is_enum(order):
            return self._member(value, order, depth)
        if derives(order, str):
            self.charge(str.__len__(value))
            return self.pair(str.__str__(value), depth)
        if derives(order, int):
            return self.pair(int.__int__(value), depth)
        if derives(order, float):
            return self.pair(float.__float__(value), depth)
        if derives(order, bytes):
            self.charge(bytes.__len__(value))
            exact = bytes.__getitem__(value, slice(None))
            return exact, binary(exact)
        base = layout(order)
        if base is object:
            return (is_record(order) and copy_record(self, value, kind, depth)) or self._live(value)
        return copy_subclass(self, value, kind, depth) or self._live(value)

    def _member(self, value: object, order: tuple[type, ...], depth: int) -> Pair:
        state = read_state(value, order)
        if state is None or "_value_" not in state.attributes:
            return self._live(value)
        return value, self.pair(state.attributes["_value_"], depth + 1)[1]
