"""What an engine is: it starts a box and can kill it, whatever runs in there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_processor.sandbox.settings import Settings

EngineName = Literal["docker", "podman", "process"]
"""`docker`, `podman`: a container by that engine's socket. `process`: bubblewrap."""

INSIDE = "/agentcop/inside"
"""Where the supervisor's own code stands in a box."""
EGRESS = "/agentcop/egress"
"""Where the folder with the egress proxy's socket, `proxy.sock`, and its certificates stands in a box."""


class EngineDown(Exception):  # noqa: N818 -- a state, like a closed connection
    """A box cannot be had: the message says what happened and what to install or start. Nothing ran."""

    def __init__(
        self, what: str, *, ways: tuple[str, ...] = (), tried: tuple[str, ...] = (), wrong: bool = False
    ) -> None:
        """`what`: a sentence without its full stop. `ways`: out of it, any one is enough. `tried`: in vain.

        `wrong`: an engine gave something else than was asked for, and nothing may stand in for that.
        """
        self.wrong = wrong
        self.lines = (
            what,
            *(f"{'or' if at else 'way out:'} {way}" for at, way in enumerate(ways)),
            *(f"tried {each}" for each in tried),
        )
        """The same for a terminal, a line each."""
        told = f"{what}: {', or '.join(ways)}" if ways else what
        super().__init__(f"{told}. Tried: {'; '.join(tried)}" if tried else told)


class LinkLost(Exception):  # noqa: N818 -- a state, like a closed connection
    """The box is gone, or said nothing until the deadline (`late`), or what it said is no frame."""

    def __init__(self, message: str, *, late: bool = False) -> None:
        """`late`: the deadline passed."""
        self.late = late
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A file or folder of the host that a box sees."""

    source: str
    """On the host, absolute, links resolved."""
    target: str
    """In the box, absolute."""
    writable: bool = False
    """Whether the tool may change it."""


class Link(Protocol):
    """The pipe to one box that has been started. Used by one thread at a time; `kill` by any."""

    id: str
    """What the engine calls the box: a container's full id, a process's pid."""
    engine: EngineName

    def send(self, data: bytes, deadline: float) -> None:
        """Write to the box's standard input; blocks until `deadline` (of `time.monotonic`). Raises LinkLost."""

    def receive(self, size: int, deadline: float) -> bytes:
        """Exactly `size` bytes of the box's standard output. Raises LinkLost."""

    def stderr(self) -> str:
        """The last 4 KiB that the supervisor itself said on standard error, for a message; never the tool's own."""

    def alive(self) -> bool:
        """Whether the box is still there, as far as this end of the pipe shows. Never blocks."""

    def abandon(self) -> None:
        """Close this process's ends of the pipe and kill nothing: in a forked child the box is the parent's."""

    def kill(self) -> None:
        """Kill and remove the whole box by its id. Idempotent; never raises, but logs.

        Blocks for milliseconds, and up to a quarter of a minute where the engine takes requests and answers none.
        """


class Engine(Protocol):
    """A way of starting boxes. Thread-safe."""

    name: EngineName

    def start(self, settings: Settings, mounts: tuple[Mount, ...]) -> Link:
        """Start a box whose supervisor reads its standard input; `mounts` are all that it sees of the host.

        Blocks for up to ten seconds. Raises EngineDown.
        """

    def expected(self, settings: Settings) -> Mapping[str, object]:
        """What the supervisor's facts must say (see `inside`), by name: `boxes.probe` compares."""

    def sweep(self) -> int:
        """Remove the boxes that a dead process of ours has left behind; how many. Never raises."""
