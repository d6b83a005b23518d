"""Whether the service does its work, from what its processes say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from agentcop_detectors.service.status import FRESH_SECONDS, read_status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agentcop_detectors.service.status import Status

SUPERVISOR: Final = "supervisor"
_MIB: Final = 1024 * 1024


class Health(NamedTuple):
    """The service at one moment."""

    statuses: tuple[Status, ...]
    problems: dict[str, str]
    """Process to what is wrong with it, in a sentence; empty: ready."""

    @property
    def ready(self) -> bool:
        """Whether what is sent now is received, scored and told of."""
        return not self.problems


def look(folder: Path, processes: Sequence[str], now: float) -> Health:
    """What the processes said last. `now`: seconds since the epoch."""
    statuses = []
    problems = {}
    supervisor = read_status(folder, SUPERVISOR)
    for name in processes:
        status = read_status(folder, name)
        if status is not None:
            statuses.append(status)
        problem = _problem(status, supervisor, name, now)
        if problem:
            problems[name] = problem
    if supervisor is not None:
        statuses.append(supervisor)
    return Health(tuple(statuses), problems)


def _problem(status: Status | None, supervisor: Status | None, name: str, now: float) -> str:
    if status is None:
        return "it has not started yet"
    if supervisor is not None and supervisor.gauges.get(f"pid.{name}") != status.pid:
        return "it has ended, or is being started"
    if now - status.time > FRESH_SECONDS:
        return f"it has said nothing for {now - status.time:.0f} s"
    return "" if status.ready else status.why or "it is not ready"
