"""A tool's result as bounded text, for the session's memory and the detector."""

from __future__ import annotations

import reprlib
from typing import Any

_LIMIT = 16_384
_BITS = 4_096


class _Bounded(reprlib.Repr):
    """Python's own bounded repr, with room for a page of text in all: parts may be shared, and so repeat for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 8
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = 200
        self.maxstring = self.maxother = _LIMIT
        self._left = _LIMIT

    def repr1(self, x: Any, level: int) -> str:  # noqa: ANN401 -- reprlib's signature
        """`...` once the page is full; a subclass of a container is shown as the container."""
        if self._left <= 0:
            return self.fillvalue
        base = next((kind for kind in (dict, list, tuple, set, frozenset) if kind in type(x).__mro__), None)
        if base is not None:
            self._left -= 2
            return str(getattr(self, f"repr_{base.__name__}")(x, level))
        shown = super().repr1(x, level)
        self._left -= len(shown)
        return shown

    def repr_int(self, x: int, level: int) -> str:  # noqa: ARG002 -- reprlib's signature
        """Decimal, or its size: CPython refuses long ones, and they take quadratic time."""
        return int.__repr__(x) if x.bit_length() <= _BITS else f"<int of {x.bit_length()} bits>"

    def repr_bytes(self, x: bytes, level: int) -> str:  # noqa: ARG002 -- reprlib's signature
        """Its beginning; the repr of all of it would take four times its size."""
        return repr(x[: self._left])

    repr_bytearray = repr_bytes


def text_of(result: object) -> str:
    """At most 16 KiB of text; a string is itself, anything else its bounded repr. Never raises."""
    if type(result) is str:
        return result if len(result) <= _LIMIT else result[:_LIMIT]
    try:
        return _Bounded().repr(result)[:_LIMIT]
    except Exception as error:
        return f"<{type(result).__qualname__}: repr raised {type(error).__name__}>"
