"""`agentcop rule`: the documentation of the scanner's rules."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from agentcop.cli import main
from agentcop_scanner.rule import SECTIONS
from agentcop_scanner.rules import all_rules


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["rule", *arguments], catch_exceptions=False)


@pytest.mark.parametrize("name", ["AC134", "ac134", "tls-off", "TLS-OFF"])
def test_a_rule_is_explained_by_id_or_name(name: str) -> None:
    done = run(name)

    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("AC134 tls-off\n")
    assert [line for line in done.stdout.splitlines() if line in SECTIONS] == list(SECTIONS)
    assert "HIGH  CWE-295 ASI07" in done.stdout
    assert "--fix mends it" in done.stdout


def test_a_rule_as_json_has_all_sections() -> None:
    data = json.loads(run("AC134", "-f", "json").stdout)

    assert (data["id"], data["name"], data["severity"], data["cwe"]) == ("AC134", "tls-off", "HIGH", [295])
    assert list(data["sections"]) == list(SECTIONS)


def test_without_a_name_all_are_listed() -> None:
    text, data = run(), json.loads(run("--format", "json").stdout)

    assert [line.split()[0] for line in text.stdout.splitlines()] == [rule.id for rule in all_rules()]
    assert [one["id"] for one in data] == [rule.id for rule in all_rules()]


@pytest.mark.parametrize(
    ("name", "near"), [("AC99", "did you mean AC"), ("tls-of", "did you mean tls-off"), ("?", "lists")]
)
def test_a_rule_that_does_not_exist_exits_2_with_the_nearest(name: str, near: str) -> None:
    done = run(name)

    assert (done.exit_code, done.stdout) == (2, "")
    assert near in done.stderr


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_rule_can_be_explained(rule: object) -> None:
    assert run(rule.id).exit_code == 0  # type: ignore[attr-defined]  # parametrize says object
