"""`GatePolicy(...)` in Python is the `gate:` section: the same keys, checks and defaults."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from typing import Any

import pytest

from agentcop_core.errors import PolicyError
from agentcop_policies import GatePolicy, Policy, Rule
from policytext import gate, verdict


def test_the_same_gate_in_python_and_yaml_is_equal() -> None:
    written = gate("allow: [a, {tool: b, when: 'args.x == 1'}]\nblock: ['c*']\nmax_argument: 64KiB\nlimits: []")
    made = GatePolicy(
        allow=["a", {"tool": "b", "when": "args.x == 1"}], block=[Rule(tool="c*")], max_argument="64KiB", limits=[]
    )

    assert written.document.gate == made
    assert Policy.from_gate(made, agent_id="tester").digest == written.digest


def test_a_gate_policy_decides_as_the_guide_says() -> None:
    gate_policy = GatePolicy(allow=["duckduckgo_search"], block=["shell_execute", "file_write", "eval"])
    policy = Policy.from_gate(gate_policy, agent_id="production-search-agent")

    assert verdict(policy, "duckduckgo_search").decision == "allow"
    assert verdict(policy, "eval").rule == "gate.block[2]"
    assert (verdict(policy, "other").decision, verdict(policy, "other").rule) == ("block", "gate.default")
    assert policy.document.gate.on_block == "raise_and_alert"
    assert policy.warnings == ()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"allow": "a"}, 'GatePolicy allow: expected a list, got "a": write [a]'),
        ({"allow": {"a"}}, "GatePolicy allow: expected a list, got set"),
        ({"allow": ["a", 1]}, "GatePolicy allow[1]: expected a tool's name or {tool: NAME, when: CONDITION}, got"),
        (
            {"allow": [None]},
            "GatePolicy allow[0]: expected a tool's name or {tool: NAME, when: CONDITION}, got nothing",
        ),
        ({"allow": [""]}, 'GatePolicy allow[0].tool: expected text, got ""'),
        ({"allow": [{"tol": "a"}]}, 'GatePolicy allow[0].tol: unknown key "tol"; did you mean "tool"?'),
        ({"alow": ["a"]}, 'GatePolicy alow: unknown key "alow"; did you mean "allow"?'),
        ({"allow": ["a"], "default": True}, "GatePolicy default: expected allow, require_approval or block, got true"),
        ({"allow": ["a"], "strict": 1}, "GatePolicy strict: expected true or false, got the number 1"),
        ({"allow": ["a"], "on_block": "shout"}, "GatePolicy on_block: expected raise_and_alert, raise, return_message"),
        ({"allow": ["a"], "max_refusals": 0}, "GatePolicy max_refusals: expected a number of at least 1"),
        ({"block": ["a"]}, "GatePolicy: only `block` is given: say what every other tool gets"),
        ({"allow": ["a"], "taint": "x"}, "GatePolicy taint: expected a mapping (key: value)"),
    ],
)
def test_wrong_keys_and_types_are_errors_with_their_place(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(PolicyError) as caught:
        GatePolicy(**given)

    assert any(line.startswith(problem) for line in caught.value.problems), caught.value.problems


@pytest.mark.parametrize("default", ["allow", "block", "require_approval"])
def test_only_block_with_a_default_says_what_the_others_get(default: Any) -> None:
    policy = Policy.from_gate(GatePolicy(block=["a"], default=default), agent_id="x")

    assert verdict(policy, "b").decision == default
    assert verdict(policy, "a").decision == "block"


def test_rules_that_never_match_are_found_in_python_too() -> None:
    with pytest.raises(PolicyError, match=r'GatePolicy gate.allow\[0\]: "a" stands in two lists: gate.block\[0\]'):
        Policy.from_gate(GatePolicy(allow=["a"], block=["a"]), agent_id="x")
    with pytest.raises(PolicyError, match="when: "):
        Policy.from_gate(GatePolicy(allow=[{"tool": "a", "when": "args.x =="}]), agent_id="x")
    with pytest.raises(PolicyError, match="agent_id is empty"):
        Policy.from_gate(GatePolicy(allow=["a"]), agent_id="")


def test_a_gate_policy_is_frozen_and_survives_copy_pickle_and_replace() -> None:
    made = GatePolicy(allow=["a", {"tool": "b", "when": "args.x == 1"}], strict=True)

    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, "allow", ())  # noqa: B010 -- as a caller would, past the type checker
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 -- our own bytes
    assert copy.deepcopy(made) == made
    assert dataclasses.replace(made, strict=False) == GatePolicy(allow=made.allow)


def test_a_policy_of_names_loads_neither_pydantic_nor_yaml_nor_cel() -> None:
    code = (
        "import sys\n"
        "from agentcop_policies import GatePolicy, Policy\n"
        "Policy.from_gate(GatePolicy(allow=['a'], block=['b*']), agent_id='x')\n"
        "print([name for name in ('pydantic', 'yaml', 'cel_expr_python', 'idna') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
