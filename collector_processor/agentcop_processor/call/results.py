"""A tool's result as bounded text, for the session's memory and the detector."""

from __future__ import annotations

import reprlib

_LIMIT = 16_384


class _Bounded(reprlib.Repr):
    """Python's own bounded repr, with room for a page of text."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 8
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = 200
        self.maxstring = self.maxother = _LIMIT


_bounded = _Bounded()


def text_of(result: object) -> str:
    """At most 16 KiB of text; a string is itself, anything else its bounded repr. Never raises."""
    if type(result) is str:
        return result if len(result) <= _LIMIT else result[:_LIMIT]
    try:
        return _bounded.repr(result)[:_LIMIT]
    except Exception as error:
        return f"<{type(result).__qualname__}: repr raised {type(error).__name__}>"
