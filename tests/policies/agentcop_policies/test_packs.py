"""Each pack loads without complaint and passes its own tests, wherever the working directory is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentcop_policies import Policy, packs, parse_policy
from agentcop_policies.casebook import run_cases
from policytext import verdict

if TYPE_CHECKING:
    from pathlib import Path


def _pack(name: str, folder: Path) -> Policy:
    return parse_policy(packs.text(name).decode(), name=f"pack:{name}", folder=folder)


def test_these_packs_are_shipped() -> None:
    assert packs.names() == ("coding-agent", "customer-support", "minimal")


@pytest.mark.parametrize("name", ["minimal", "coding-agent", "customer-support"])
def test_a_pack_passes_its_own_tests_without_a_warning(name: str, tmp_path: Path) -> None:
    loaded = _pack(name, tmp_path)
    results = run_cases(loaded, now=0.0)

    assert loaded.warnings == ()
    assert [str(result) for result in results if not result.passed] == []
    assert {result.case.expect for result in results} == {"allow", "require_approval", "block"}
    assert all(result.case.because for result in results)
    assert {rule for rule in _rules(loaded) if "[" in rule} >= {"gate.allow[0]"}


@pytest.mark.parametrize("name", ["minimal", "coding-agent", "customer-support"])
def test_every_condition_of_a_pack_decides_one_of_its_tests(name: str, tmp_path: Path) -> None:
    loaded = _pack(name, tmp_path)
    decided = {result.rule for result in run_cases(loaded, now=0.0)}
    shown = {"edit_file", "list_directory", "get_customer"}  # twins of a rule that has a test

    conditioned = {rule for rule, (tool, when) in _rules(loaded).items() if when and tool not in shown}
    # A count over the session has no place in a test of one call.
    assert conditioned - decided <= {"gate.require_approval[1]"}


def test_the_third_refund_of_a_session_goes_to_a_person(tmp_path: Path) -> None:
    from agentcop_core.session import Session
    from agentcop_policies.casebook import make_call

    loaded = _pack("customer-support", tmp_path)
    session = Session("s", user="c-1")
    call = make_call("issue_refund", {"amount": 5}, agent_id="x", now=0.0)
    got = []
    for _ in range(3):
        got.append(loaded.decide(call, session).decision)
        session.count_call("issue_refund")

    assert got == ["allow", "allow", "require_approval"]


def test_a_symlink_out_of_the_project_is_not_within_it(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    loaded = _pack("coding-agent", tmp_path)

    assert verdict(loaded, "read_file", {"path": str(tmp_path / "link/hostname")}).decision == "require_approval"
    assert verdict(loaded, "read_file", {"path": str(tmp_path / "main.py")}).decision == "allow"


def _rules(loaded: Policy) -> dict[str, tuple[str, str | None]]:
    gate = loaded.document.gate
    lists = {"allow": gate.allow, "require_approval": gate.require_approval, "block": gate.block}
    return {
        f"gate.{name}[{index}]": (rule.tool, rule.when)
        for name, rules in lists.items()
        for index, rule in enumerate(rules)
    }
