"""The walk to a verdict, written down: what `agentcop policy explain` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from agentcop_core.verdict import Verdict

Outcome = Literal["matched", "not this tool", "condition false", "could not be evaluated", "not in this build"]
"""`matched`: the rule decides. `not this tool`: its name or glob means others. `condition false`: its `when:` is not
met. `could not be evaluated`: its `when:` has no answer; that decides in `block` and `require_approval`, and in `allow`
it does not. `not in this build`: something the policy demands of this call cannot be given, which decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule looked at."""

    rule: str
    """As `gate.block[1]`, `gate.default` or `sandbox`."""
    at: str = ""
    """`file:line:col`; "" where no line stands behind it."""
    pattern: str = ""
    """The tool name or glob written there; "" for `gate.default`."""
    when: str = ""
    """The condition written there; "" if there is none."""
    outcome: Outcome
    why: str = ""
    """For `could not be evaluated`: the reason; for `not in this build`: what is missing."""
    decides: bool = False
    """Whether the verdict is this step's: true of the last step alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The steps in the order in which rules are looked at, up to the deciding one, and the verdict they lead to."""

    steps: tuple[Step, ...]
    verdict: Verdict
