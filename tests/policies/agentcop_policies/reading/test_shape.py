"""What does not have the shape of a policy is named with its place, what was expected, and what was given."""

from __future__ import annotations

import pytest

from policytext import policy, problems

GATE = "gate: {allow: [a]}\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GATE, '1:1 "agent_id" is missing'),
        ("agent_id: x\n", '1:1 "gate" is missing'),
        ("agent_id: x\ngate:\n", '2:1 "gate" is empty: remove it, or write its value'),
        ("agent_id: x\nscan:\n" + GATE, '2:1 "scan" is empty: remove it, or write its value'),
        ("agent_id: x\ngate:\n  block: [a]\n  allow:\n", '4:3 "gate.allow" is empty'),
        ("agent_id: 7\n" + GATE, '1:11 expected text, got the number 7: write "7"'),
        ('agent_id: ""\n' + GATE, '1:11 expected text, got ""'),
        ("agent_id: x\ngat: 1\n" + GATE, '2:1 unknown key "gat"; did you mean "gate"?'),
        ("agent_id: x\nzzz: 1\n" + GATE, '2:1 unknown key "zzz"; known here: extends, agent_id'),
        ("agent_id: x\nallow: [a]\n" + GATE, '2:1 unknown key "allow"; it belongs under gate:'),
        (
            "agent_id: x\ngate:\n  allow: [a]\n  tests: []\n",
            '4:3 unknown key "tests"; it belongs at the top of the file, not indented',
        ),
        ("agent_id: x\nmode: enforced\n" + GATE, '2:7 expected enforce or observe, got "enforced"; did you mean "enf'),
        ("agent_id: x\ngate: {allow: a}\n", '2:15 expected a list, got "a": write [a]'),
        ("agent_id: x\ngate: {allow: [1]}\n", "2:16 expected a tool's name or {tool: NAME, when: CONDITION}, got the"),
        ("agent_id: x\ngate: {allow: [{tol: a}]}\n", '2:17 unknown key "tol"; did you mean "tool"?'),
        ("agent_id: x\ngate: {allow: [{tool: a, wehn: b}]}\n", '2:26 unknown key "wehn"; did you mean "when"?'),
        ("agent_id: x\ngate: {allow: [{when: b}]}\n", '2:16 "tool" is missing in gate.allow[0]'),
        ("agent_id: x\ngate: {allow: [a], strict: yes}\n", '2:28 expected true or false, got "yes"'),
        ("agent_id: x\ngate: {allow: [a], strict: 1}\n", "2:28 expected true or false, got the number 1"),
        (
            "agent_id: x\ngate: {allow: [a], max_refusals: 0}\n",
            "2:34 expected a number of at least 1, got the number 0",
        ),
        ("agent_id: x\ngate: {allow: [a], max_refusals: true}\n", "2:34 expected a whole number, got true"),
        ("agent_id: x\ngate: {allow: [a], max_argument: 1TB}\n", "2:34 expected a size above zero, such as 256KiB"),
        ("agent_id: x\ngate: {allow: [a], on_block: shout}\n", "2:30 expected raise_and_alert, raise, return_message"),
        ("agent_id: x\napprovals: {timeout: 15}\nscan: {fail_on: [high]}\n" + GATE, "3:18 expected CRITICAL, HIGH"),
        ("agent_id: x\napprovals: {timeout: soon}\n" + GATE, "2:22 expected a duration above zero, such as 30s"),
        ("agent_id: x\nscan: {min_score: 101}\n" + GATE, "2:19 expected a number of at most 100, got the number 101"),
        ("agent_id: x\nscan: []\n" + GATE, "2:7 expected a mapping (key: value), got a list"),
        (
            "agent_id: x\ngate: {allow: [a], limits: [{max: -1, sum: args.a, per: day}]}\n",
            "2:35 expected a finite number",
        ),
        ("agent_id: x\ngate: {allow: [a], limits: [{max_calls: 3}]}\n", '2:29 "per" is missing in gate.limits[0]'),
        ("agent_id: x\nsandbox: {network: some}\n" + GATE, "2:20 expected public, none or {allow: [host:port]}"),
        ("agent_id: x\nsandbox: {network: {alow: [a:1]}}\n" + GATE, '2:21 unknown key "alow"; did you mean "allow"?'),
        ("agent_id: x\nmonitor: {alert_channels: [{type: slck}]}\n" + GATE, "2:35 expected slack, email or webhook"),
        ("agent_id: x\nversion: [1]\n" + GATE, "2:10 expected text, got a list"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(text: str, problem: str) -> None:
    lines = problems(text)

    assert any(line.startswith(f"policy.yaml:{problem}") for line in lines), lines


def test_all_problems_come_at_once_in_the_files_order() -> None:
    text = """\
agent_id: 7
mode: enforced
gate:
  alow: [x]
  allow: [a, a]
  allow: [b]
  block: ["*x", *y]
  strict: on
  limits:
    - {tokens: .nan, per: dya}
"""
    lines = problems(text)

    places = [tuple(map(int, line.split()[0].split(":")[1:])) for line in lines]
    assert places == sorted(places)
    assert {place[0] for place in places} == {1, 2, 4, 5, 6, 7, 8, 10}


@pytest.mark.parametrize(
    ("written", "version"),
    [('"2.1"', "2.1"), ("2.1", "2.1"), ("2.10", "2.10"), ("3", "3"), ("2026-01-02", "2026-01-02"), ("v1", "v1")],
)
def test_a_version_is_the_text_that_was_written(written: str, version: str) -> None:
    assert policy(f"agent_id: x\nversion: {written}\n{GATE}").version == version


def test_null_is_a_value_in_a_tests_arguments() -> None:
    loaded = policy("agent_id: x\ngate: {allow: [a]}\ntests: [{call: {tool: a, args: {b: null}}, expect: allow}]\n")

    assert loaded.document.tests[0].call.args == {"b": None}
