"""An agent's run, rebuilt from its spans."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from agentcop_detectors.segments.tail import BEGINNING, Position

if TYPE_CHECKING:
    from agentcop_detectors.step import Step

Closed = Literal["", "root", "idle", "room"]
"""Why a run is over: "" it is not; its root span ended; nothing came for a while; memory was full and it the oldest."""


@dataclass(slots=True, kw_only=True)
class Run:
    """The steps of one trace so far, in the order of their start. Belongs to the scorer's one thread.

    Spans arrive late, twice and out of order: a step is known by its span id, the second of the same id is dropped
    and counted.
    """

    trace_id: bytes
    agent_id: str = ""
    """Of the outermost agent step; of the first step that names one, until that is known."""
    session_id: str = ""
    environment: str = ""
    service: str = ""
    started: int = 0
    """Nanoseconds since the epoch, of the earliest step."""
    ended: int = 0
    """Of the latest."""
    seen: float = 0.0
    """When the last span of it was received, by our clock, in seconds since the epoch."""
    steps: list[Step] = field(default_factory=list)
    dropped: int = 0
    """Steps over the limit of a run, counted and not kept."""
    duplicates: int = 0
    closed: Closed = ""
    closings: int = 0
    """How often it was closed: a span that comes late opens it again."""
    first: Position = BEGINNING
    """The frame of its first span."""
