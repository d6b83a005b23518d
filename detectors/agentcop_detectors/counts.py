"""What the scorer did since it started, and what it holds: for metrics and readiness."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from agentcop_detectors.segments.tail import BEGINNING, Position

if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """A snapshot; may be handed to another thread or, by `as_dict`, to another process."""

    frames: int = 0
    steps: int = 0
    poisoned: int = 0
    """Spans, or whole requests, that were acknowledged and cannot be read."""
    spoiled: int = 0
    """Attributes that cannot be read."""
    unusable: int = 0
    """Spans without ids."""
    foreign: int = 0
    """Spans about an agent that the sender's token does not speak for."""
    skewed: int = 0
    """Spans whose own time is more than a day off ours."""
    duplicates: int = 0
    shed: int = 0
    """Steps that a run without end no longer holds; they were counted and looked at."""
    trimmed: int = 0
    """Steps of a run over its size, held without their content."""
    reopened: int = 0
    """Closed runs to which something came late."""
    recalled: int = 0
    """Runs whose earlier spans were fetched from the segments, because something came late."""
    unrecalled: int = 0
    """Those whose were not, in time or at all: what came late was judged alone, and the run's row stays as it was."""
    closed_for_room: int = 0
    """Runs closed because memory was full."""
    check_faults: int = 0
    skipped_segments: int = 0
    """Segments that were gone before they were read."""
    anomalies: int = 0
    alerts: int = 0
    """Anomalies that were new, each a row."""
    tell_faults: int = 0
    """Times the teller failed; what it was given stays `pending` and is given again at the next start."""
    commits: int = 0
    commit_faults: int = 0
    runs_open: int = 0
    held_bytes: int = 0
    """What open and remembered runs take in memory, about."""
    agents_held: int = 0
    position: Position = BEGINNING
    """Where the next frame will be read."""
    resume: Position = BEGINNING
    """From where a restart would read: segments before it may be sealed."""

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers under the fields' names, positions as two."""
        return asdict(self)
