"""What became of a probe, and what that means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Ended = Literal["ok", "raised", "timeout", "crashed", "too_large", "unsendable", "unloadable", "out"]
"""How a call ended at the caller. `ok`: with what the probe noted. `raised`: an exception of the tool, or a value that
is no notes. `timeout`, `crashed`, `too_large`, `unsendable`, `unloadable`: as `answer` has them. `out`: an exception
that no tool may raise at its caller: one that ends the program, or says that the call was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One probe, once."""

    ended: Ended
    achieved: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    """Text that the probe could read."""
    said: str = ""
    """The exception's text at the caller, else ""."""
    seconds: float = 0.0
    """From the call to its end at the caller."""
    kept: int = 0
    """Bytes of the tool's outputs that the host was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one probe proves in one place."""

    probe: str
    """`theme.name`."""
    claim: str
    escapes: tuple[str, ...]
    """What got out; none: contained."""
    broken: str
    """Why the trial proves nothing; "" where it does."""
    documented: str
    """Why this may get out here; "" where it may not."""
    ended: str
    refused: tuple[str, ...] = field(default=())
    seconds: float = 0.0

    @property
    def contained(self) -> bool:
        """Whether it was tried and nothing got out."""
        return not self.escapes and not self.broken

    @property
    def bad(self) -> bool:
        """Whether this is neither contained nor a documented limit."""
        return bool(self.broken) or (bool(self.escapes) and not self.documented)
