"""Verdicts of the gate itself: what it refuses although no line of a policy says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from agentcop_core.verdict import Verdict

if TYPE_CHECKING:
    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import DecidedBy
    from agentcop_processor.gate import Gate

OwnRule = Literal[
    "gate.approval", "gate.arguments", "gate.digest", "gate.error", "gate.log_failure", "gate.strict", "run.blocked"
]
"""`gate.approval`: the grant was used, or is for another call. `gate.arguments`: they cannot be judged (too
large, too deep, not text). `gate.digest`: they changed after the verdict. `gate.error`: a fault. `gate.log_failure`:
the decision could not be written. `gate.strict`: nobody judged, or not the span processor, and the policy insists.
`run.blocked`: this run was blocked before."""


def own_verdict(
    rule: OwnRule, reason: str, *, gate: Gate, call: ToolCall | None = None, decided_by: DecidedBy = "seam"
) -> Verdict:
    """A block by `rule` under the policy of `gate`, in that policy's mode; `reason` holds no argument values.

    Under a gate that is switched off it is only observed.
    """
    policy = gate.policy
    return Verdict(
        decision="block",
        rule=rule,
        reason=reason,
        agent_id=gate.agent_id,
        policy_version=policy.version,
        policy_digest=policy.digest,
        mode=policy.document.mode if gate.judging else "observe",
        on_block=policy.document.gate.on_block,
        digest=call.digest if call is not None else "",
        decided_by=decided_by,
    )


def answering(gates: tuple[Gate, ...]) -> Gate:
    """In whose name the gate itself refuses: the nearest that enforces, so that none that only observes lifts it."""
    for gate in reversed(gates):
        if gate.judging and gate.policy.document.mode == "enforce":
            return gate
    return gates[-1]
