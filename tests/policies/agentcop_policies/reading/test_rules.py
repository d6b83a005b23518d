"""A rule that can never match, or is no rule, does not stay silent."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_policies.reading.rules import covers
from policytext import gate, gate_problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("allow: [a]\nblock: [a]", '3:11 "a" stands in two lists: gate.block[0] (policy.yaml:4:11) blocks it already'),
        (
            "allow: [a]\nrequire_approval: [a]",
            '3:11 "a" stands in two lists: gate.require_approval[0] (policy.yaml:4:22) holds it already',
        ),
        ("allow: [a, b, a]", '3:17 "a" stands in allow twice: gate.allow[0] (policy.yaml:3:11) is the first'),
        (
            'allow: [a]\nblock: ["*"]',
            '3:11 gate.allow[0] "a" can never match: gate.block[0] (policy.yaml:4:11) blocks "*" before it is asked',
        ),
        ('allow: [send_mail]\nblock: ["send_*"]', '3:11 gate.allow[0] "send_mail" can never match'),
        ('allow: ["send_mail_*"]\nblock: ["send_*"]', '3:11 gate.allow[0] "send_mail_*" can never match'),
        ('allow: ["a*", ab]', '3:17 gate.allow[1] "ab" can never match: gate.allow[0] (policy.yaml:3:11) allows "a*"'),
        ("allow: [a, {tool: a, when: 'args.x == 1'}]", '3:14 "a" stands in allow twice'),
        ("allow: [{tool: a, when: 'args.x == 1'}]\nblock: [a]", '3:11 gate.allow[0] "a" can never match'),
        (
            "allow: [{tool: a, when: 'args.x == 1'}]\nblock: [{tool: a, when: 'args.x == 1'}]",
            '3:11 gate.allow[0] "a" can never match',
        ),
        ('allow: ["rm(x)"]', '3:11 "rm(x)" is not a tool\'s name: no name holds ( ): a condition is written'),
        ('allow: ["a;b"]', '3:11 "a;b" is not a tool\'s name: no name holds ;'),
        ('allow: ["a "]', '3:11 no tool is ever called "a ": names are compared as "a"'),
        ('allow: ["a\\u200bb"]', '3:11 no tool is ever called "a\\u200bb": names are compared as "ab"'),
        ('allow: ["read[ab"]', '3:11 "read[ab" opens a [ that it does not close'),
        (
            "allow: ['${TOOL}']",
            "3:11 ${…} is filled in for monitor.alert_channels, monitor.links and each",
        ),
        (
            "allow: [{tool: a, when: 'args.x == \"${Y}\"'}]",
            "3:27 ${…} is filled in for monitor.alert_channels, monitor.links and each",
        ),
        ("allow: [{tool: a, when: 'args.x =='}]", "3:27 when: "),
        ("allow: [{tool: a, when: 'argz.x == 1'}]", "3:27 when: "),
        ("block: [a]", "2:1 gate: only `block` is given: say what every other tool gets"),
    ],
)
def test_a_rule_that_cannot_do_its_work_is_an_error(text: str, problem: str) -> None:
    lines = gate_problems(text)

    assert any(line.startswith(f"policy.yaml:{problem}") for line in lines), lines


@pytest.mark.parametrize(
    "text",
    [
        'allow: ["*"]\nblock: [a]',
        'block: [delete_record, "delete_*"]\ndefault: allow',
        "allow: [{tool: a, when: 'args.x == 1'}, {tool: a, when: 'args.x == 2'}]",
        "allow: [a]\nblock: [{tool: a, when: 'args.x == 1'}]",
        'allow: ["a?"]\nblock: ["a[bc]"]',
        "block: [a]\ndefault: block",
        'allow: ["*_read"]\nblock: ["x_*"]',
    ],
)
def test_rules_that_can_match_load_without_complaint(text: str) -> None:
    assert gate(text).warnings == ()


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("allow: [{tool: a, when: 'args.x == 1'}, a]", "the condition of gate.allow[0] narrows nothing"),
        ('allow: ["this is not a rule"]', "is read as one tool's name, spaces included"),
        ('allow: ["a, b"]', "is read as one tool's name, comma included"),
        ("on_block: alert", "gate lists no tool: every call is blocked"),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(text: str, warning: str) -> None:
    assert any(warning in line for line in gate(text).warnings)


_PATTERN = st.text(alphabet="ab*?[]!", min_size=1, max_size=6)


@given(wide=_PATTERN, narrow=_PATTERN, name=st.text(alphabet="ab!]", min_size=1, max_size=6))
def test_what_is_called_covered_is_covered(wide: str, narrow: str, name: str) -> None:
    if covers(wide, narrow) and fnmatch.fnmatchcase(name, narrow):
        assert fnmatch.fnmatchcase(name, wide)
