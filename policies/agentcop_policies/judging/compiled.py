"""A policy document made ready to judge: block, then require_approval, then allow, then the default.

What a tool name leads to is worked out once a name (its plan): the rules whose condition must be asked, in order, and
the answer that stands if none of them decides. A verdict then costs one look-up and the conditions of that one tool.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from agentcop_core.errors import PolicyError
from agentcop_core.verdict import Verdict
from agentcop_policies.judging.answers import WORDS, Answer, Demand, Rule, broken, demanded, unclear, unmet
from agentcop_policies.judging.explain import Explanation, Step
from agentcop_policies.judging.matching import is_glob, matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agentcop_core.session import Session
    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import DecidedBy, Decision
    from agentcop_policies.judging.conditions import Condition, Failure
    from agentcop_policies.models import PolicyDocument
    from agentcop_policies.models import Rule as Entry
    from agentcop_policies.unenforced import Unenforced

_MAX_PLANS: Final = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What one tool name leads to."""

    asked: tuple[tuple[Rule, Condition], ...]
    otherwise: Answer
    """What stands if no condition that was asked decides."""
    unmet: Answer | None
    """The same where it is the default and the last condition asked was false: with a reason that says so."""
    demands: tuple[Demand, ...]


class CompiledPolicy:
    """Judges calls by one policy. Immutable but for a bounded cache; every method may be called from any thread."""

    __slots__ = ("_default", "_demands", "_digest", "_document", "_globs", "_named", "_others", "_plans", "_rules")

    def __init__(
        self,
        document: PolicyDocument,
        *,
        rules: Sequence[Rule],
        default: Answer,
        demands: Sequence[Demand],
        digest: str,
    ) -> None:
        """`rules`: in order of precedence. Made by `compile_policy`."""
        self._document = document
        self._digest = digest
        self._default = default
        self._demands = tuple(demands)
        self._rules = tuple(rules)
        self._named: dict[str, list[int]] = {}
        self._globs: list[int] = []
        for order, rule in enumerate(rules):
            if is_glob(rule.pattern):
                self._globs.append(order)
            else:
                self._named.setdefault(rule.pattern, []).append(order)
        self._plans = {name: self._plan(name) for name in self._named}
        # Names that no rule spells out come from outside: they must neither grow without bound nor push the others out.
        self._others: dict[str, _Plan] = {}

    def decide(
        self, call: ToolCall, session: Session, signals: object = None, *, decided_by: DecidedBy = "seam"
    ) -> Verdict:
        """What the policy says about `call`. Never raises: a fault of ours is `block` by the rule `gate.error`.

        Pure, but for what a condition's helper sees of the file system. `signals`: read by no rule yet.
        """
        del signals
        try:
            plan = self._plans.get(call.tool) or self._others.get(call.tool) or self._remember(call.tool)
            answer = self._judge(plan, call, session) if plan.asked else plan.otherwise
            if plan.demands:
                answer = demanded(answer, plan.demands) or answer
            return self._verdict(answer, call.digest, decided_by)
        except Exception as fault:
            return self._verdict(broken(fault), getattr(call, "digest", ""), decided_by)

    def explain(self, call: ToolCall, session: Session, signals: object = None) -> Explanation:
        """Every rule looked at, in order, and the verdict that `decide` gives. Never raises."""
        del signals
        steps: list[Step] = []
        try:
            answer = self._walk(call, session, steps)
        except Exception as fault:
            answer = broken(fault)
        return Explanation(steps=tuple(steps), verdict=self._verdict(answer, getattr(call, "digest", ""), "seam"))

    def _verdict(self, answer: Answer, digest: str, decided_by: DecidedBy) -> Verdict:
        document = self._document
        return Verdict(
            decision=answer.decision,
            rule=answer.rule,
            reason=answer.reason,
            at=answer.at,
            agent_id=document.agent_id,
            policy_version=document.version,
            policy_digest=self._digest,
            mode=document.mode,
            on_block=document.gate.on_block,
            digest=digest,
            decided_by=decided_by,
        )

    def _remember(self, tool: str) -> _Plan:
        plan = self._plan(tool)
        if len(self._others) >= _MAX_PLANS:
            self._others.clear()
        self._others[tool] = plan
        return plan

    def _plan(self, tool: str) -> _Plan:
        orders = self._named.get(tool, []) + [order for order in self._globs if self._rules[order].means(tool)]
        asked = []
        otherwise = self._default
        for order in sorted(orders):
            rule = self._rules[order]
            if rule.condition is None:
                otherwise = rule.matched
                break
            asked.append((rule, rule.condition))
        demands = tuple(demand for demand in self._demands if any(means(tool) for means in demand.means))
        false = unmet(self._default, asked[-1][0], result=False) if asked and otherwise is self._default else None
        return _Plan(asked=tuple(asked), otherwise=otherwise, unmet=false, demands=demands)

    def _judge(self, plan: _Plan, call: ToolCall, session: Session) -> Answer:
        for rule, condition in plan.asked:
            result = self._ask(condition, call, session)
            if result is True:
                return rule.matched
            if result is not False and rule.matched.decision != "allow":
                return unclear(rule, result)
        if plan.unmet is None or result is False:
            return plan.unmet or plan.otherwise
        return unmet(self._default, rule, result=result)

    def _ask(self, condition: Condition, call: ToolCall, session: Session) -> bool | Failure:
        document = self._document
        return condition.evaluate(
            call,
            session,
            environment=document.environment,
            agent_id=call.agent_id or document.agent_id,
            principal=session.user,
        )

    def _walk(self, call: ToolCall, session: Session, steps: list[Step]) -> Answer:
        answer = self._walk_rules(call, session, steps)
        for demand in self._demands:
            if any(means(call.tool) for means in demand.means):
                refused = demanded(answer, (demand,))
                if refused is not None:
                    steps[-1] = replace(steps[-1], decides=False)
                    steps.append(
                        Step(rule=demand.rule, at=demand.at, outcome="not in this build", why=demand.what, decides=True)
                    )
                    return refused
        return answer

    def _walk_rules(self, call: ToolCall, session: Session, steps: list[Step]) -> Answer:
        last: tuple[Rule, bool | Failure] | None = None
        for rule in self._rules:
            if not rule.means(call.tool):
                steps.append(rule.step("not this tool"))
                continue
            result = True if rule.condition is None else self._ask(rule.condition, call, session)
            if result is True:
                steps.append(rule.step("matched", decides=True))
                return rule.matched
            if result is False:
                steps.append(rule.step("condition false"))
            else:
                decides = rule.matched.decision != "allow"
                steps.append(rule.step("could not be evaluated", why=result.reason, decides=decides))
                if decides:
                    return unclear(rule, result)
            last = (rule, result)
        default = self._default
        steps.append(Step(rule=default.rule, at=default.at, outcome="matched", decides=True))
        return unmet(default, last[0], result=last[1]) if last else default


def compile_policy(
    document: PolicyDocument,
    *,
    at: Callable[[str], str],
    folder: Path,
    digest: str,
    unenforced: Sequence[Unenforced] = (),
) -> CompiledPolicy:
    """Compile a whole document. `at` gives a rule's `file:line:col`, or ""; `folder` is where its paths start.

    Raises PolicyError with every condition that does not compile.
    """
    problems: list[str] = []
    rules = [
        _compile_rule(entry, f"gate.{decision}[{index}]", decision, at, folder, problems)
        for decision in WORDS
        for index, entry in enumerate(getattr(document.gate, decision))
    ]
    if problems:
        raise PolicyError(problems)
    default = Answer(
        decision=document.gate.default,
        rule="gate.default",
        at=at("gate.default"),
        reason=f"not on any list; default is {document.gate.default}",
    )
    demands = [
        Demand(
            rule=demand.rule,
            at=at(demand.rule),
            what=demand.what,
            means=[matcher(tool) for tool in demand.tools],
            only_asked=demand.only_asked,
        )
        for demand in unenforced
    ]
    return CompiledPolicy(document, rules=rules, default=default, demands=demands, digest=digest)


def _compile_rule(  # noqa: PLR0913, PLR0917 -- a rule, where it stands, and where its problems go
    entry: Entry, rule: str, decision: Decision, at: Callable[[str], str], folder: Path, problems: list[str]
) -> Rule:
    condition = None
    reason = f'{WORDS[decision]} by {rule} ("{entry.tool}")'
    if entry.when is not None:
        # CEL is loaded by the first policy that has a condition.
        from agentcop_policies.judging.conditions import ConditionError, compile_condition

        reason += ", whose condition is met"
        try:
            condition = compile_condition(entry.when, folder=folder)
        except ConditionError as fault:
            problems.append(" ".join(filter(None, (at(rule), f"{rule}: {fault}"))))
    matched = Answer(decision=decision, rule=rule, at=at(rule), reason=reason)
    return Rule(pattern=entry.tool, means=matcher(entry.tool), condition=condition, matched=matched)
