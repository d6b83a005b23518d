"""What a rule answers, and the sentences that say why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentcop_policies.judging.explain import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agentcop_core.verdict import Decision
    from agentcop_policies.judging.conditions import Condition, Failure
    from agentcop_policies.judging.explain import Outcome

WORDS: Final[Mapping[Decision, str]] = {
    "block": "blocked",
    "require_approval": "held for approval",
    "allow": "allowed",
}
"""The lists in order of precedence; a list's name is also what a match in it decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verdict but for what it says of the call itself."""

    decision: Decision
    rule: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One entry of a list. `means` tests a tool's name."""

    pattern: str
    means: Callable[[str], bool]
    condition: Condition | None
    matched: Answer

    @property
    def subject(self) -> str:
        """How a reason names it."""
        return f'{self.matched.rule} ("{self.pattern}")'

    def step(self, outcome: Outcome, *, why: str = "", decides: bool = False) -> Step:
        """The rule as looked at in an explanation."""
        return Step(
            rule=self.matched.rule,
            at=self.matched.at,
            pattern=self.pattern,
            when=self.condition.text if self.condition is not None else "",
            outcome=outcome,
            why=why,
            decides=decides,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Something that the policy demands of some calls and this build cannot give."""

    rule: str
    at: str
    what: str
    means: Sequence[Callable[[str], bool]]
    only_asked: bool


def unclear(rule: Rule, failure: Failure) -> Answer:
    """A condition without an answer, in a list where that must not help the caller."""
    word = WORDS[rule.matched.decision]
    reason = f"{word} by {rule.subject}: its condition could not be evaluated ({failure.reason})"
    return Answer(decision=rule.matched.decision, rule=rule.matched.rule, at=rule.matched.at, reason=reason)


def unmet(default: Answer, rule: Rule, *, result: bool | Failure) -> Answer:
    """The default, of a tool whose rules' conditions (the last is `rule`'s) did not let any of them decide."""
    why = "is not met" if isinstance(result, bool) else f"could not be evaluated ({result.reason})"
    reason = f"the condition of {rule.subject} {why}; default is {default.decision}"
    return Answer(decision=default.decision, rule=default.rule, at=default.at, reason=reason)


def demanded(answer: Answer, demands: Sequence[Demand]) -> Answer | None:
    """The refusal, where the call would otherwise run or go to a person and the policy demands what is not there."""
    for demand in demands:
        if answer.decision == "require_approval" or (answer.decision == "allow" and not demand.only_asked):
            reason = f"{demand.what} is not in this build ({answer.rule} alone would give {answer.decision})"
            return Answer(decision="block", rule=demand.rule, at=demand.at, reason=reason)
    return None


def broken(fault: Exception) -> Answer:
    """A fault of the gate itself."""
    reason = f"the gate could not judge this call ({type(fault).__name__})"
    return Answer(decision="block", rule="gate.error", at="", reason=reason)
