"""What the service was told: one value that every process of it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_core.otlp.sender import Endpoint
    from agentcop_detectors.receive.address import Address, Tls

Source = Literal["otlp", "spool"]
"""`otlp`: from the network. `spool`: what the agents of this machine left in the state folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Paths are absolute. Secrets stand in none of the fields but `database` and `forward_token`."""

    home: Path
    """The state folder that the agents of this machine use too."""
    sources: frozenset[Source] = frozenset({"otlp", "spool"})
    http: Address | None = None
    """None: no OTLP over HTTP."""
    grpc: Address | None = None
    operations: Address
    """Where health, metrics and pages are served."""
    tls: Tls | None = None
    tokens: Path | None = None
    policies: Path | None = None
    """Folder of the policies that the watched agents run under."""
    alerts: Path | None = None
    """Policy file whose `monitor:` says who hears of agents that have no channel of their own."""
    database: str
    """SQLAlchemy URL."""
    forward: Endpoint | None = None
    forward_token: str = ""
    retain_days: float
    """How long spans and runs are kept."""
    fsync: bool = False
    """Whether an acknowledged request also survives a power loss."""

    @property
    def page_link(self) -> str:
        """Template of our own page of a run; "" where none is served."""
        served = self.operations.loopback and self.operations.port
        return f"http://{self.operations}/runs/{{trace_id}}" if served else ""

    @property
    def folder(self) -> Path:
        """All that the service itself writes, but for a database that is elsewhere."""
        return self.home / "detector"

    @property
    def segments(self) -> Path:
        """What was received."""
        return self.folder / "segments"

    @property
    def status(self) -> Path:
        """What each process says about itself."""
        return self.folder / "status"

    @property
    def spool(self) -> Path:
        """Where agents leave spans."""
        return self.home / "spool"

    @property
    def forward_position(self) -> Path:
        """How far what was received is forwarded."""
        return self.folder / "forward.json"
