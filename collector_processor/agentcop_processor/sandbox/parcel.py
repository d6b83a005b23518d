"""What travels of a tool: a name to import, or its source text. Never a pickle, never a value of the host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_processor.sandbox.engine import Mount


class NotShippable(Exception):  # noqa: N818 -- an answer, not a fault
    """The tool cannot run in a box: the message says why, and the way out. One sentence each, no argument values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """How the tool is made in the box. Two calls of one tool have equal parcels, so a warm box may have it ready."""

    module: str
    """The module to import, as `tools.search`; the module's name to be, where `source` is given."""
    name: str
    """The qualified name in it: a function, or a class where `init` is given."""
    source: str = ""
    """The module's text, where it cannot be imported in the box; "" to import it."""
    init: Mapping[str, object] | None = field(default=None, compare=False)
    """Keyword arguments to make an object of the class, plain values only (`inside.wire.values`); None: a function."""
    method: str = ""
    """The method of that object that is called."""
    path: tuple[str, ...] = ()
    """Folders in the box that `sys.path` begins with."""
    mounts: tuple[Mount, ...] = field(default=())
    """What of the host's files the tool needs, read-only: its package, never `.env`, `.git` or the home folder."""
    made_of: str = field(default="", init=False, repr=False)
    """`init` as it is compared: 1 and True are equal, and not the same to make an object of."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "made_of", "" if self.init is None else repr(dict(self.init)))
