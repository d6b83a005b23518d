"""What this build does not enforce never lets a call pass, and is said at load."""

from __future__ import annotations

import pytest

from agentcop_policies import build
from policytext import gate, policy, verdict


@pytest.mark.parametrize(
    ("key", "text", "rule", "covered", "free"),
    [
        ("gate.flows", "flows: [{after: a, then: 'b*'}]", "gate.flows[0]", ("a", "b1"), ("c",)),
        ("gate.limits", "limits: [{tool: a, max_calls: 3, per: run}]", "gate.limits[0]", ("a",), ("c",)),
        ("gate.limits", "limits: [{tokens: 3, per: run}]", "gate.limits[0]", ("a", "c"), ()),
        (
            "gate.taint",
            "taint: {sources: [a], sinks: [b1, {tool: d, args: [x]}]}",
            "gate.taint",
            ("a", "b1", "d"),
            ("c",),
        ),
        ("gate.results", "results: {redact: [secrets]}", "gate.results", ("a", "c"), ()),
        ("resolve", "require_approval: [{tool: e, resolve: true}]", "gate.require_approval[0]", ("e",), ("a", "c")),
    ],
)
def test_calls_that_a_missing_part_covers_are_refused(
    key: str, text: str, rule: str, covered: tuple[str, ...], free: tuple[str, ...]
) -> None:
    loaded = gate(f"allow: [a, b1, c, d]\nblock: [f]\n{text}")

    for tool in covered:
        got = verdict(loaded, tool)
        assert (got.decision, got.rule) == ("block", rule)
        assert f"{build.CALLS[key]} is not in this build" in got.reason
        assert got.at.startswith("policy.yaml:5:")
    for tool in free:
        assert verdict(loaded, tool).decision == "allow"
    assert verdict(loaded, "f").rule == "gate.block[0]"
    assert any(line.startswith("policy.yaml:5:") and "is not in this build" in line for line in loaded.warnings)


def test_a_person_is_not_asked_in_vain() -> None:
    text = "agent_id: x\ngate: {allow: [a, b], require_approval: [c], results: {redact: [secrets]}}\n"

    assert [verdict(policy(text), tool).rule for tool in ("a", "b", "c")] == ["gate.results"] * 3


def test_the_sandbox_is_no_missing_part() -> None:
    loaded = policy("agent_id: x\ngate: {allow: [a]}\nsandbox: {tools: [a]}\n")

    assert (verdict(loaded, "a").decision, loaded.unenforced, loaded.warnings) == ("allow", (), ())


def test_that_observe_mode_leaves_the_sandbox_out_is_said() -> None:
    loaded = policy("agent_id: x\nmode: observe\ngate: {allow: [a]}\nsandbox: {tools: [a]}\n")

    assert loaded.warnings == ("policy.yaml:4:1 mode: observe only watches: no call runs in the sandbox",)


@pytest.mark.parametrize(("mode", "word"), [("enforce", "will"), ("observe", "would")])
def test_the_warning_says_what_becomes_of_the_calls(mode: str, word: str) -> None:
    loaded = policy(
        f"agent_id: x\nmode: {mode}\ngate:\n  allow: [a]\n  limits: [{{tool: a, max_calls: 3, per: run}}]\n"
    )
    (warning,) = loaded.warnings
    assert warning.endswith(f"is not in this build; calls of a {word} be refused")


def test_approval_by_two_covers_only_calls_that_go_to_a_person() -> None:
    loaded = policy("agent_id: x\ngate: {allow: [a], require_approval: [c]}\napprovals: {required: 2}\n")

    assert verdict(loaded, "a").decision == "allow"
    assert verdict(loaded, "c").rule == "approvals.required"


def test_keys_that_cover_no_call_are_warnings() -> None:
    monitor = "monitor: {sensitivity: high, respond: {high: block}}"
    loaded = policy(f"agent_id: x\ngate: {{allow: [a]}}\nscan: {{min_score: 80}}\n{monitor}\n")

    assert verdict(loaded, "a").decision == "allow"
    assert [line.split()[1].rstrip(":") for line in loaded.warnings] == list(build.SILENT)


def test_what_the_alerts_of_blocks_use_of_monitor_is_no_warning() -> None:
    channels = (
        "alert_channels: [{type: webhook, url: 'https://alerts.example/x'}, {type: slack, token: x, channel: '#a'}]"
    )
    loaded = policy(
        f"agent_id: x\ngate: {{allow: [a]}}\nmonitor:\n  {channels}\n  content: none\n  max_alerts_per_day: 5\n"
        "  links: {trace: 'https://traces.example/{trace_id}'}\n"
    )

    assert loaded.warnings == ()
