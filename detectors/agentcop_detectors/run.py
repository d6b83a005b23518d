"""An agent's run, rebuilt from its spans."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from agentcop_detectors.segments.tail import BEGINNING, Position

if TYPE_CHECKING:
    from agentcop_detectors.step import Step

Closed = Literal["", "root", "idle", "long", "room"]
"""Why a run is over: "" it is not; its root span ended; nothing came for a while; it was open for hours; memory was
full and it the oldest."""


@dataclass(slots=True, kw_only=True)
class Run:
    """The steps of one trace so far, in the order of their start. Belongs to the scorer's one thread.

    Spans arrive late, twice and out of order: a step is known by its span id, the second of the same id is dropped
    and counted. Of a run without end the earliest steps are shed once they were looked at; the counts go on.
    """

    trace_id: bytes
    agent_id: str = ""
    """Of the outermost agent step; of the first step that names one, until that is known."""
    session_id: str = ""
    environment: str = ""
    service: str = ""
    started: int = 0
    """Nanoseconds since the epoch, of the earliest step, by the sender's clock."""
    ended: int = 0
    """Of the latest."""
    seen: float = 0.0
    """When its last new span was received, by our clock, in seconds since the epoch."""
    steps: list[Step] = field(default_factory=list)
    """Those that are held: all of them, but in a run that shed some."""
    dropped: int = 0
    """Steps that were shed: counted below, and no longer in `steps`."""
    duplicates: int = 0
    closed: Closed = ""
    closings: int = 0
    """How often it was closed: a span that comes late opens it again."""
    first: Position = BEGINNING
    """The frame of its first span."""
    last_segment: int = 0
    """The segment of the last frame that held a new span of it."""
    partial: bool = False
    """Only what came late of a run whose other steps could not be fetched in time: no row is written of it."""
    full: bool = False
    """It is about to shed its earliest steps: what is undecided about them is decided now."""

    # Counted as the steps come, those that were shed among them.
    tool_calls: int = 0
    blocked: int = 0
    held: int = 0
    tokens: int = 0
    unenforced: int = 0
    """Tool calls without a gate, as of the last look."""
    shed_unenforced: int = 0
    """Those among the steps that were shed."""
    shed_judged: set[bytes] = field(default_factory=set)
    """Span ids that carried a verdict, of the steps that were shed: what is below them counts as judged."""

    @property
    def total(self) -> int:
        """All its steps, each once."""
        return len(self.steps) + self.dropped
