"""One request for a person's yes: what it is for, what became of it, and what an approver may answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from agentcop_core.toolcall import ToolCall

State = Literal["pending", "approved", "denied", "expired", "used"]
"""`pending`: nobody answered yet. `approved`: may run, once. `denied`: a person said no. `expired`: the time ran out,
or the caller gave up waiting. `used`: it has run. Only the first two lead on."""


@dataclass(frozen=True, slots=True)
class Approve:
    """Yes, to this one call as it stands."""

    by: str = field(default="", kw_only=True)
    """Who says so; shown in gate.log."""


@dataclass(frozen=True, slots=True)
class Deny:
    """No. The caller and the model read `message`."""

    message: str = ""
    by: str = field(default="", kw_only=True)
    """Who says so."""


Answer = Approve | Deny

Approver = Callable[["ToolCall", float], Answer | Awaitable[Answer]]
"""`approver(call, deadline)`: asked about one call; after `deadline` (seconds since the epoch) nobody hears it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One request, as it stood at one moment. Changed only in its ledger, which makes a new one."""

    id: str
    digest: str
    """SHA-256 of the call: the grant is for nothing else."""
    policy_digest: str
    """SHA-256 of the policy that asks; another policy asks anew."""
    agent_id: str
    tool: str
    asked: float
    deadline: float
    """Both in seconds since the epoch."""
    state: State = "pending"
    by: str = ""
    """Who answered."""
    message: str = ""
    """What they said with a denial."""
