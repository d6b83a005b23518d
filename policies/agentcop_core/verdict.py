"""What was decided about one tool call, and which of several decisions holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Decision = Literal["allow", "require_approval", "block"]
"""`allow`: runs. `require_approval`: runs only if a person says yes. `block`: never runs."""

Mode = Literal["enforce", "observe"]
"""`enforce`: the decision holds. `observe`: it is judged and logged, and the tool runs."""

OnBlock = Literal["raise_and_alert", "raise", "return_message", "alert"]
"""How loud a refusal is, never whether: every value refuses."""

DecidedBy = Literal["span_processor", "seam", "none"]
"""Who came first: the span processor on a healthy pipeline, the seam otherwise, `none` for an ungoverned call."""

_STRICTNESS: dict[Decision, int] = {"allow": 0, "require_approval": 1, "block": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One policy's decision about one tool call."""

    decision: Decision
    rule: str
    """The rule that decided, as written in the policy: `gate.block[1]`, `gate.default`; `gate.error` for a fault."""
    reason: str
    """One sentence for a person. Holds no argument values."""
    at: str = ""
    """`file:line:col` of the deciding policy line; "" where no line stands behind it."""
    agent_id: str = ""
    """Whose policy decided."""
    policy_version: str = ""
    policy_digest: str = ""
    """SHA-256 of the policy's normal form."""
    mode: Mode = "enforce"
    on_block: OnBlock = "raise_and_alert"
    digest: str = ""
    """SHA-256 of the call that was judged."""
    decided_by: DecidedBy = "seam"

    @property
    def stops(self) -> bool:
        """Whether the tool must not run on this verdict alone."""
        return self.decision != "allow" and self.mode == "enforce"


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that holds among several policies' (at least one): an enforced one first, then block > ask > allow.

    Ties go to the earliest. An observed block never outranks an enforced allow's right to run: neither stops the call.
    """
    return max(verdicts, key=lambda verdict: (verdict.stops, _STRICTNESS[verdict.decision]))
