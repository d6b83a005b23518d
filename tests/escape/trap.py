"""An exception of the host's program that does something when it is made: no box may have it made."""

from __future__ import annotations

from typing import Final

sprung: Final[list[str]] = []
"""What has been done."""


class Trap(Exception):  # noqa: N818 -- the name is what a box asks for
    """Remembers that it was made."""

    def __new__(cls, *arguments: object) -> Trap:  # noqa: PYI034 -- no subclass is made
        """Spring."""
        sprung.append(repr(arguments))
        return super().__new__(cls, *arguments)
