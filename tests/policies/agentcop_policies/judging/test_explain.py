from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_core.canonical import freeze
from agentcop_core.session import Session
from agentcop_core.toolcall import ToolCall
from policytext import gate

if TYPE_CHECKING:
    from agentcop_policies.judging.explain import Explanation

POLICY = """\
allow: [web_search, {tool: refund, when: 'args.amount <= 50.0'}]
require_approval: [{tool: refund, when: 'args.amount > 100.0'}]
block: ["delete_*"]
"""


def explain(text: str, tool: str, **arguments: object) -> Explanation:
    call = ToolCall(tool=tool, arguments=freeze(arguments), digest="")
    return gate(text).explain(call, Session("s"))


def walked(explanation: Explanation) -> list[tuple[str, str]]:
    return [(step.rule, step.outcome) for step in explanation.steps]


def test_the_walk_goes_in_order_of_precedence_and_ends_at_the_deciding_rule() -> None:
    assert walked(explain(POLICY, "delete_user")) == [("gate.block[0]", "matched")]
    assert walked(explain(POLICY, "refund", amount=20)) == [
        ("gate.block[0]", "not this tool"),
        ("gate.require_approval[0]", "condition false"),
        ("gate.allow[0]", "not this tool"),
        ("gate.allow[1]", "matched"),
    ]
    assert walked(explain(POLICY, "refund", amount=70))[-2:] == [
        ("gate.allow[1]", "condition false"),
        ("gate.default", "matched"),
    ]


def test_a_step_says_where_it_stands_and_what_is_written_there() -> None:
    *_, deciding = explain(POLICY, "refund", amount=900).steps

    assert (deciding.rule, deciding.at, deciding.pattern) == ("gate.require_approval[0]", "policy.yaml:4:22", "refund")
    assert deciding.when == "args.amount > 100.0"
    assert deciding.decides


def test_a_condition_that_cannot_be_evaluated_is_a_step_with_its_reason() -> None:
    held = explain(POLICY, "refund", amount="hunter2").steps[-1]

    assert (held.outcome, held.decides) == ("could not be evaluated", True)
    assert held.why == "a value it reads has another type than it expects"


def test_in_allow_a_condition_that_cannot_be_evaluated_does_not_decide() -> None:
    only_allow = "allow: [{tool: refund, when: 'args.amount <= 50.0'}]"
    *_, unclear, default = explain(only_allow, "refund").steps

    assert (unclear.outcome, unclear.decides) == ("could not be evaluated", False)
    assert (default.rule, default.outcome, default.decides) == ("gate.default", "matched", True)


def test_what_is_not_in_this_build_is_the_last_step() -> None:
    explanation = explain(POLICY + "limits: [{tool: web_search, max_calls: 3, per: run}]", "web_search")

    assert walked(explanation)[-2:] == [("gate.allow[0]", "matched"), ("gate.limits[0]", "not in this build")]
    assert [step.rule for step in explanation.steps if step.decides] == ["gate.limits[0]"]
    assert explanation.verdict.rule == "gate.limits[0]"
