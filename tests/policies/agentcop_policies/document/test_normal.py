"""The normal form: a policy and its dump are equal and decide alike; the digest is what the policy says."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from agentcop_policies import GatePolicy, Policy, PolicyDocument, load_policy
from agentcop_policies.document.normal import digest, dump, normal
from policytext import gate, policy, verdict

if TYPE_CHECKING:
    from agentcop_core.verdict import Decision

TOOLS = ("read", "write", "send_mail", "send_chat", "on", "12", "null", "0x1", "1e3", "~x")
GLOBS = ("send_*", "?rite", "*")
CONDITIONS = (None, "args.x == 1", "args.x > 10.0", "has(args.y)")


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Policies that load: each tool on one list, globs at the end of `allow`."""
    lists: dict[str, list[Any]] = {"allow": [], "require_approval": [], "block": []}
    for tool in draw(st.lists(st.sampled_from(TOOLS), unique=True, max_size=5)):
        lists[draw(st.sampled_from(sorted(lists)))].append(_rule(tool, draw(st.sampled_from(CONDITIONS))))
    for glob in GLOBS:
        if draw(st.booleans()):
            lists["allow"].append(_rule(glob, draw(st.sampled_from(CONDITIONS))))
    default: Decision = draw(st.sampled_from(("allow", "block", "require_approval")))
    return Policy.from_gate(
        GatePolicy(
            default=default, allow=lists["allow"], require_approval=lists["require_approval"], block=lists["block"]
        ),
        agent_id="tester",
    )


def _rule(tool: str, when: str | None) -> str | dict[str, str]:
    return tool if when is None else {"tool": tool, "when": when}


@given(loaded=policies(), tool=st.sampled_from(TOOLS), x=st.sampled_from((0, 1, 11, "text")))
def test_a_policy_and_its_dump_are_equal_and_decide_alike(loaded: Policy, tool: str, x: object) -> None:
    again = policy(loaded.dump())

    assert again.document == loaded.document
    assert again.digest == loaded.digest
    first, second = verdict(loaded, tool, {"x": x}), verdict(again, tool, {"x": x})
    assert (first.decision, first.rule) == (second.decision, second.rule)


@given(loaded=policies(), extra=st.sampled_from(TOOLS), tool=st.sampled_from(TOOLS), x=st.sampled_from((0, 1, 11)))
def test_adding_a_block_never_loosens(loaded: Policy, extra: str, tool: str, x: int) -> None:
    strictness = {"allow": 0, "require_approval": 1, "block": 2}
    # As an own file over a base: there a shadowed rule is a note and no error.
    base = verdict(loaded, tool, {"x": x}).decision
    tighter = verdict(_over(loaded, extra), tool, {"x": x}).decision

    assert strictness[tighter] >= strictness[base]


def _over(loaded: Policy, blocked: str) -> Policy:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "base.yaml").write_text(loaded.dump(), encoding="utf-8")
        child = {"extends": "base.yaml", "gate": {"block": [blocked], "default": loaded.document.gate.default}}
        # JSON is YAML.
        (folder / "child.yaml").write_text(json.dumps(child), encoding="utf-8")
        return load_policy(folder / "child.yaml")


def test_defaults_written_or_not_give_one_digest() -> None:
    short = gate("allow: [a]")
    long = gate("allow: [{tool: a}]\ndefault: block\nmax_argument: 1048576\nstrict: false\nblock: []")

    assert long.digest == short.digest


def test_units_do_not_change_the_digest_and_values_do() -> None:
    assert gate("allow: [a]\nmax_argument: 64KiB").digest == gate("allow: [a]\nmax_argument: 65536").digest
    assert gate("allow: [a]\nmax_argument: 64KiB").digest != gate("allow: [a]").digest
    assert gate("allow: [a, b]").digest != gate("allow: [b, a]").digest


def test_text_that_looks_like_something_else_is_quoted_for_every_reader() -> None:
    document = PolicyDocument(agent_id="1.0", version="2.10", gate=GatePolicy(allow=list(TOOLS)))

    again = yaml.safe_load(dump(document))

    assert again["agent_id"] == "1.0"
    assert again["version"] == "2.10"
    assert again["gate"]["allow"] == list(TOOLS)


def test_the_digest_is_fixed_across_versions() -> None:
    document = PolicyDocument(agent_id="x", gate=GatePolicy(allow=["a", "é"]))

    assert normal(document) == {"agent_id": "x", "gate": {"default": "block", "allow": ["a", "é"]}}
    assert digest(document) == "5a30e7539d3e1e77b250a7f0601c079fb266e869a047716db36d63eb871dae5d"
