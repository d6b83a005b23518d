"""Something a person must see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Severity = Literal["low", "medium", "high", "critical"]
"""Of an alert, least first."""

AlertKind = Literal[
    "block",
    "would_block",
    "policy_replaced",
    "policy_kept",
    "unenforced_call",
    "broken_chain",
    "policy_loosened",
    "refusal_storm",
    "new_tool",
    "volume",
    "anomaly",
    "digest",
    "test",
]
"""`block`: a call was refused by a rule. `would_block`: it would have been, under `mode: enforce`. `policy_replaced`: a
policy file changed and is in force. `policy_kept`: it changed into what is no policy, so the last good one stays.
`unenforced_call` to `volume`: what the detector's check of that name found in a run. `anomaly`: what any other of its
checks found, which `rule` names. `digest`: what went over a day's budget, together. `test`: nothing happened; somebody
tries the channels."""

_RANKS: dict[Severity, int] = {"low": 0, "medium": 1, "high": 2, "critical": 3}


def rank(severity: Severity) -> int:
    """Severities as numbers: a greater one is worse."""
    return _RANKS[severity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing that happened, in words and ids; holds nothing that the redactor has not seen."""

    kind: AlertKind
    severity: Severity
    agent_id: str
    tool: str = ""
    rule: str = ""
    """The rule that decided, as `gate.block[1]`."""
    at: str = ""
    """`file:line:col` of that rule."""
    reason: str = ""
    """One sentence."""
    arguments: str = ""
    """The call's arguments as JSON, redacted; what `monitor.content: none` leaves of them otherwise."""
    session_id: str = ""
    trace_id: str = ""
    """32 hex digits; "" where no span stands behind it."""
    call_id: str = ""
    policy_version: str = ""
    environment: str = ""
    time: float = 0.0
    """When it happened, in seconds since the epoch."""
    evidence: tuple[str, ...] = ()
    """Further facts, one sentence each."""

    @property
    def fingerprint(self) -> str:
        """16 hex digits; alerts that share them say the same: rule, agent and tool are equal."""
        return fingerprint(self.rule, self.agent_id, self.tool)


def fingerprint(*parts: str) -> str:
    """16 hex digits over `parts`, which cannot be confused by moving text from one to the next."""
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]
