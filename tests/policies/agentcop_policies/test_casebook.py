"""A policy's own tests assert the verdict and the rule that gave it."""

from __future__ import annotations

from pathlib import Path

from agentcop_policies.casebook import run_cases
from policytext import policy

TEXT = """\
agent_id: tester
gate:
  allow: [{tool: read, when: 'path.within(args.path, "./data")'}]
  require_approval: [{tool: pay, when: 'principal == "ann"'}]
  block: [rm]
tests:
"""


def _results(tests: str, folder: Path = Path("/")) -> list[bool]:
    return [result.passed for result in run_cases(policy(TEXT + tests, folder), now=0.0)]


def test_verdict_and_rule_must_both_be_as_written() -> None:
    assert _results(
        """\
  - {call: {tool: rm}, expect: block, because: "gate.block[0]"}
  - {call: {tool: rm}, expect: block}
  - {call: {tool: rm}, expect: block, because: gate.default}
  - {call: {tool: rm}, expect: allow}
  - {call: {tool: pay, user: ann}, expect: require_approval, because: "gate.require_approval[0]"}
  - {call: {tool: pay, user: bob}, expect: block, because: gate.default}
"""
    ) == [True, True, False, False, True, True]


def test_relative_paths_start_at_the_policys_folder(tmp_path: Path) -> None:
    before = Path.cwd()

    assert _results("  - {call: {tool: read, args: {path: data/a}}, expect: allow}\n", tmp_path) == [True]
    assert Path.cwd() == before


def test_a_failure_says_what_was_got_and_where_the_test_stands() -> None:
    [result] = run_cases(policy(TEXT + "  - {call: {tool: rm}, expect: allow}\n", Path("/")), now=0.0)

    assert result.at == "policy.yaml:7:5"
    assert str(result).startswith("tests[0] rm: allow, but got block from gate.block[0] (")


def test_a_call_that_no_seam_would_take_fails_its_test() -> None:
    text = TEXT + '  - {call: {tool: rm, args: {a: "\\uD800"}}, expect: block}\n'
    [result] = run_cases(policy(text, Path("/")), now=0.0)

    assert not result.passed
    assert result.decision is None
    assert "but got no verdict from nothing (" in str(result)
