"""What a check is given and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agentcop_policies import Policy

State = Literal["ok", "warning", "failed"]
"""`ok`: as it should be. `warning`: calls are judged all the same. `failed`: they are not, or nobody can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the doctor was asked about."""

    policy_file: str
    policy: Policy | None
    """None where the file cannot be loaded; `problems` says why."""
    problems: tuple[str, ...]
    home: Path
    """The state folder."""
    environ: Mapping[str, str]
    """Variables as the doctor was started with."""
    now: float
    """Seconds since the epoch."""
    send: bool = False
    """Whether test alerts are really sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One line of the answer."""

    check: str
    state: State
    reason: str


def ok(check: str, reason: str) -> Found:
    """All is well."""
    return Found(check=check, state="ok", reason=reason)


def warning(check: str, reason: str) -> Found:
    """Something that a person should know of."""
    return Found(check=check, state="warning", reason=reason)


def failed(check: str, reason: str) -> Found:
    """The answer to "am I protected?" is no."""
    return Found(check=check, state="failed", reason=reason)
