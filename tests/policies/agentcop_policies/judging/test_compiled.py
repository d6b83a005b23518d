from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_core.canonical import freeze
from agentcop_core.errors import PolicyError
from agentcop_core.session import Session
from agentcop_core.toolcall import ToolCall
from agentcop_policies.judging.compiled import CompiledPolicy, compile_policy
from agentcop_policies.models import GatePolicy, PolicyDocument, Rule
from agentcop_policies.unenforced import Unenforced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcop_core.verdict import Decision

HELD = 'held for approval by gate.require_approval[0] ("refund")'
UNREAD = 'the condition of gate.allow[0] ("read") could not be evaluated'
DEFAULT = "default is block"
STRICTNESS: dict[Decision, int] = {"allow": 0, "require_approval": 1, "block": 2}
NAMES = ("read", "send_mail", "send_chat", "refund", "shell")
PATTERNS = (*NAMES, "send_*", "*", "re?d", "[rs]*")
WHENS = (None, "args.x > 1", "args.y == 2", 'tool == "refund"', "args.flag")


def compiled(demands: Sequence[Unenforced] = (), document: dict[str, Any] | None = None, **gate: Any) -> CompiledPolicy:
    return compile_policy(
        PolicyDocument(agent_id="agent", version="2.1", gate=GatePolicy(**gate), **(document or {})),
        at=lambda rule: f"policy.yaml:{rule}",
        folder=Path("/nowhere"),
        digest="d1",
        unenforced=demands,
    )


def call(tool: str, arguments: dict[str, Any] | None = None) -> ToolCall:
    return ToolCall(tool=tool, arguments=freeze(arguments or {}), digest="c1")


def decide(policy: CompiledPolicy, tool: str, **arguments: Any) -> tuple[str, str]:
    verdict = policy.decide(call(tool, arguments), Session("s"))
    return verdict.decision, verdict.rule


def test_block_wins_over_approval_and_approval_over_allow() -> None:
    policy = compiled(allow=["a", "b", "c"], require_approval=["b", "c"], block=["c"])

    assert decide(policy, "a") == ("allow", "gate.allow[0]")
    assert decide(policy, "b") == ("require_approval", "gate.require_approval[0]")
    assert decide(policy, "c") == ("block", "gate.block[0]")
    assert decide(policy, "d") == ("block", "gate.default")


def test_within_a_list_the_first_rule_decides() -> None:
    policy = compiled(allow=[{"tool": "read", "when": "args.x == 1"}, "read*", "read"])

    assert decide(policy, "read", x=1) == ("allow", "gate.allow[0]")
    assert decide(policy, "read", x=2) == ("allow", "gate.allow[1]")


def test_an_exact_name_is_exact_and_a_glob_is_not() -> None:
    policy = compiled(block=["bash", "delete_*"], default="allow")

    assert decide(policy, "bash") == ("block", "gate.block[0]")
    assert decide(policy, "bash_session") == ("allow", "gate.default")
    assert decide(policy, "delete_user") == ("block", "gate.block[1]")


def test_a_verdict_says_all_there_is_to_say() -> None:
    policy = compiled(allow=["read"], on_block="alert", document={"mode": "observe"})
    verdict = policy.decide(call("read"), Session("s"), decided_by="span_processor")

    assert (verdict.decision, verdict.rule, verdict.at) == ("allow", "gate.allow[0]", "policy.yaml:gate.allow[0]")
    assert verdict.reason == 'allowed by gate.allow[0] ("read")'
    assert (verdict.agent_id, verdict.policy_version, verdict.policy_digest) == ("agent", "2.1", "d1")
    assert (verdict.mode, verdict.on_block, verdict.digest) == ("observe", "alert", "c1")
    assert verdict.decided_by == "span_processor"


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("delete_x", {}, 'blocked by gate.block[0] ("delete_*")'),
        ("refund", {"amount": 900}, 'held for approval by gate.require_approval[0] ("refund"), whose condition is met'),
        ("refund", {"amount": 1}, 'the condition of gate.require_approval[0] ("refund") is not met; default is block'),
        ("refund", {}, f'{HELD}: its condition could not be evaluated (the call has no argument "amount")'),
        ("read", {"x": 2}, 'the condition of gate.allow[0] ("read") is not met; default is block'),
        ("read", {"x": b"secret"}, f"{UNREAD} (it reads a value that has no plain form, such as bytes); {DEFAULT}"),
        ("unknown", {}, "not on any list; default is block"),
    ],
)
def test_the_reason_is_one_sentence_without_argument_values(tool: str, arguments: dict[str, Any], reason: str) -> None:
    policy = compiled(
        allow=[{"tool": "read", "when": "args.x == 1"}],
        require_approval=[{"tool": "refund", "when": "args.amount > 100.0"}],
        block=["delete_*"],
    )

    assert policy.decide(call(tool, arguments), Session("s")).reason == reason


@pytest.mark.parametrize("broken", [{}, {"amount": "900"}, {"amount": object()}, {"amount": float("nan")}])
def test_a_condition_that_cannot_be_evaluated_never_helps_the_caller(broken: dict[str, Any]) -> None:
    rule = {"tool": "refund", "when": "args.amount > 100.0"}

    assert decide(compiled(block=[rule], default="allow"), "refund", **broken) == ("block", "gate.block[0]")
    held = compiled(require_approval=[rule], default="allow")
    assert decide(held, "refund", **broken) == ("require_approval", "gate.require_approval[0]")
    assert decide(compiled(allow=[rule]), "refund", **broken) == ("block", "gate.default")


def test_a_negated_helper_fails_closed_too() -> None:
    outside = compiled(block=[{"tool": "read", "when": '!path.within(args.path, "./data")'}], default="allow")
    inside = compiled(allow=[{"tool": "read", "when": 'path.within(args.path, "./data")'}])

    for trick in ("~/x", "file:///etc/passwd", "data/\0", "", "/proc/self/root/nowhere/data/x"):
        assert decide(outside, "read", path=trick)[0] == "block"
        assert decide(inside, "read", path=trick)[0] == "block"
    assert decide(outside, "read", path="/nowhere/data/x") == ("allow", "gate.default")
    assert decide(inside, "read", path="/nowhere/data/x") == ("allow", "gate.allow[0]")


def test_conditions_see_environment_principal_and_agent() -> None:
    when = 'environment == "production" && principal == "ann" && agent_id == "agent"'
    policy = compiled(block=[{"tool": "*", "when": when}], default="allow", document={"environment": "production"})

    assert policy.decide(call("x"), Session("s", user="ann")).decision == "block"
    assert policy.decide(call("x"), Session("s", user="bob")).decision == "allow"


def test_a_fault_of_the_gate_is_a_block_and_no_exception() -> None:
    policy = compiled(allow=["*"])

    for hostile in (None, ToolCall(tool=["read"], arguments=freeze({}), digest="c1")):  # type: ignore[arg-type]  # on purpose
        verdict = policy.decide(hostile, Session("s"))  # type: ignore[arg-type]  # on purpose
        assert (verdict.decision, verdict.rule) == ("block", "gate.error")
        assert policy.explain(hostile, Session("s")).verdict.rule == "gate.error"  # type: ignore[arg-type]  # on purpose


def test_hostile_names_do_not_grow_the_cache_and_known_names_stay() -> None:
    policy = compiled(allow=["read", "get_*"])

    for number in range(5_000):
        assert decide(policy, f"get_{number}") == ("allow", "gate.allow[1]")

    assert len(policy._others) <= 1_024  # noqa: SLF001 -- the bound is the claim
    assert decide(policy, "read") == ("allow", "gate.allow[0]")


def test_what_is_not_in_this_build_refuses_only_what_would_run_or_go_to_a_person() -> None:
    policy = compiled(
        [
            Unenforced(rule="gate.taint", what="taint tracking", tools=("send_*",)),
            Unenforced(rule="approvals.required", what="approval by two", tools=("*",), only_asked=True),
        ],
        allow=["read", "send_mail"],
        require_approval=["refund", "send_chat"],
        block=["send_bomb"],
    )

    assert decide(policy, "read") == ("allow", "gate.allow[0]")
    assert decide(policy, "send_mail") == ("block", "gate.taint")
    assert decide(policy, "send_chat") == ("block", "gate.taint")
    assert decide(policy, "refund") == ("block", "approvals.required")
    assert decide(policy, "send_bomb") == ("block", "gate.block[0]")
    assert decide(policy, "send_other") == ("block", "gate.default")
    verdict = policy.decide(call("send_mail"), Session("s"))
    assert verdict.reason == "taint tracking is not in this build (gate.allow[1] alone would give allow)"
    assert verdict.at == "policy.yaml:gate.taint"


def test_every_condition_that_does_not_compile_is_reported_at_once() -> None:
    gate = GatePolicy(allow=["read"])
    object.__setattr__(gate, "block", (Rule(tool="a", when="args.x ="), Rule(tool="b", when="foo")))
    document = PolicyDocument(agent_id="agent", gate=gate)

    with pytest.raises(PolicyError) as caught:
        compile_policy(document, at=lambda rule: f"p.yaml:{rule}", folder=Path("/"), digest="")

    assert [problem.split(":")[:2] for problem in caught.value.problems] == [
        ["p.yaml", "gate.block[0] gate.block[0]"],
        ["p.yaml", "gate.block[1] gate.block[1]"],
    ]


def test_many_threads_get_the_verdict_that_one_gets() -> None:
    policy = compiled(allow=[{"tool": "get_*", "when": "args.n > 3"}], require_approval=["get_1?"])
    wrong: list[str] = []

    def work() -> None:
        for number in range(300):
            name = f"get_{number}"
            expected = "require_approval" if 10 <= number < 20 else "allow" if number % 7 > 3 else "block"
            if policy.decide(call(name, {"n": number % 7}), Session("s")).decision != expected:
                wrong.append(name)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


rules = st.builds(Rule, tool=st.sampled_from(PATTERNS), when=st.sampled_from(WHENS))
lists = st.lists(rules, max_size=4)
decisions = st.sampled_from(("allow", "require_approval", "block"))
calls = st.builds(
    call,
    st.sampled_from((*NAMES, "other")),
    st.dictionaries(st.sampled_from(("x", "y", "flag")), st.sampled_from((0, 2, 2.5, True, False, "2", b"2", None))),
)
gates = st.fixed_dictionaries({"allow": lists, "require_approval": lists, "block": lists, "default": decisions})
demands = st.lists(
    st.builds(
        Unenforced,
        rule=st.sampled_from(("sandbox", "gate.taint")),
        what=st.just("it"),
        tools=st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2).map(tuple),
        only_asked=st.booleans(),
    ),
    max_size=2,
)


@given(gate=gates, more=rules, place=st.integers(0, 4), asked=calls)
def test_adding_a_block_rule_never_loosens(gate: dict[str, Any], more: Rule, place: int, asked: ToolCall) -> None:
    block = [*gate["block"][:place], more, *gate["block"][place:]]
    before = compiled(**gate).decide(asked, Session("s")).decision
    after = compiled(**{**gate, "block": block}).decide(asked, Session("s")).decision

    assert STRICTNESS[after] >= STRICTNESS[before]


@given(gate=gates, needs=demands, asked=calls)
def test_a_demand_that_cannot_be_met_never_loosens(
    gate: dict[str, Any], needs: list[Unenforced], asked: ToolCall
) -> None:
    before = compiled(**gate).decide(asked, Session("s"))
    after = compiled(needs, **gate).decide(asked, Session("s"))

    assert STRICTNESS[after.decision] >= STRICTNESS[before.decision]
    assert before.decision != "block" or after == before


@given(gate=gates, chance=st.randoms(use_true_random=False), asked=calls)
def test_the_order_within_a_list_changes_no_decision(gate: dict[str, Any], chance: Any, asked: ToolCall) -> None:
    mixed: dict[str, Any] = {
        key: chance.sample(value, len(value)) if isinstance(value, list) else value for key, value in gate.items()
    }

    first = compiled(**gate).decide(asked, Session("s"))
    assert compiled(**mixed).decide(asked, Session("s")).decision == first.decision


@given(gate=gates, others=st.lists(st.sampled_from(("p", "q*", "z?")), max_size=3), asked=calls)
def test_rules_about_other_tools_change_nothing(gate: dict[str, Any], others: list[str], asked: ToolCall) -> None:
    more: dict[str, Any] = {key: [*value, *others] if isinstance(value, list) else value for key, value in gate.items()}

    assert compiled(**more).decide(asked, Session("s")) == compiled(**gate).decide(asked, Session("s"))


@given(gate=gates, needs=demands, asked=calls)
def test_the_same_call_gets_the_same_verdict_and_explain_agrees(
    gate: dict[str, Any], needs: list[Unenforced], asked: ToolCall
) -> None:
    policy = compiled(needs, **gate)
    first = policy.decide(asked, Session("s"))
    explained = policy.explain(asked, Session("s"))

    assert policy.decide(asked, Session("s")) == first
    assert explained.verdict == first
    assert explained.steps[-1].decides
    assert explained.steps[-1].rule == first.rule


@given(name=st.text(min_size=1, max_size=20).filter(lambda name: name not in NAMES), default=decisions)
def test_an_unknown_name_gets_the_default(name: str, default: Decision) -> None:
    policy = compiled(allow=["read"], require_approval=["refund"], block=["shell"], default=default)

    assert decide(policy, name) == (default, "gate.default")
