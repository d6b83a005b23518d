"""Each rule finds what its bad fixtures hold, and nothing in its good ones."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from agentcop_scanner.rule import Rule, documentation
from agentcop_scanner.rules import all_rules
from scan_cases import Case, cases, findings

HERE: Final = Path(__file__).parent
FIXTURES: Final = {
    file.stem: tuple(case for case in cases(file.parent) if case.file == file.stem) for file in HERE.glob("*/*.cases")
}
OURS: Final = all_rules()


@pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule.id)
def test_a_rule_has_a_bad_and_a_good_fixture(rule: Rule) -> None:
    own = FIXTURES[rule.slug.replace("-", "_")]
    assert any(rule.id in {label for label, _ in case.expected} for case in own)
    assert any(not case.expected for case in own)


@pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule.id)
def test_a_rule_is_documented_under_the_fixed_headings(rule: Rule) -> None:
    said = documentation(rule)
    assert all(said.sections.values())
    assert rule.cwe


@pytest.mark.parametrize(
    "case", [case for own in FIXTURES.values() for case in own], ids=lambda case: f"{case.file}: {case.title}"
)
def test_a_fixture_holds_exactly_what_it_is_labelled_with(case: Case) -> None:
    labelled = {rule for rule, _ in case.expected} | {
        rule.id for rule in OURS if rule.slug.replace("-", "_") == case.file
    }
    found = {(one.rule, one.place.line) for one in findings(case.path, case.text) if one.rule in labelled}
    assert found == set(case.expected)
