"""Verdicts of the gate itself: what it refuses although no line of a policy says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from agentcop_core.verdict import Verdict

if TYPE_CHECKING:
    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import DecidedBy, Mode
    from agentcop_processor.judges import Seat

OwnRule = Literal[
    "gate.approval",
    "gate.arguments",
    "gate.digest",
    "gate.error",
    "gate.log_failure",
    "gate.protected",
    "gate.strict",
    "run.blocked",
    "sandbox",
]
"""`gate.approval`: the grant was used, or is for another call. `gate.arguments`: they cannot be judged (too
large, too deep, not text). `gate.digest`: they changed after the verdict. `gate.error`: a fault. `gate.log_failure`:
the decision could not be written. `gate.protected`: an argument leads to what the gate itself rests on; holds in
`mode: observe` too. `gate.strict`: nobody judged, or not the span processor, and the policy insists. `run.blocked`:
this run was blocked before. `sandbox`: the policy wants this call in a box, and there is none for it."""


def own_verdict(
    rule: OwnRule, reason: str, *, seat: Seat, call: ToolCall | None = None, decided_by: DecidedBy = "seam"
) -> Verdict:
    """A block by `rule` under the policy of `seat`, in that policy's mode; `reason` holds no argument values.

    Under a gate that is switched off it is only observed.
    """
    gate, policy = seat
    mode: Mode = policy.document.mode if rule != "gate.protected" else "enforce"
    return Verdict(
        decision="block",
        rule=rule,
        reason=reason,
        agent_id=gate.agent_id,
        policy_version=policy.version,
        policy_digest=policy.digest,
        mode=mode if gate.judging else "observe",
        on_block=policy.document.gate.on_block,
        digest=call.digest if call is not None else "",
        decided_by=decided_by,
    )
