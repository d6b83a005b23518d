from __future__ import annotations

from dataclasses import replace
from math import isclose, prod
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_scanner.trust.score import trust_score
from findings import any_reported, reported

if TYPE_CHECKING:
    import random

    from agentcop_scanner.report import Reported


def test_a_file_without_findings_has_a_hundred() -> None:
    assert trust_score([]).value == 100


@pytest.mark.parametrize(
    ("findings", "score"),
    [
        ([reported(severity="HIGH", confidence="medium")], 82),  # 1 - .3 * .6
        ([reported(severity="MEDIUM")], 90),
        ([reported(severity="LOW", confidence="low", reach="test")], 100),
        ([reported(severity="CRITICAL", confidence="medium", reach="unknown")], 78),  # 1 - .6 * .6 * .6
        ([reported(severity="MEDIUM"), reported(severity="MEDIUM", line=2)], 86),  # .9 * .95 = .855
        ([reported("AC131", severity="MEDIUM"), reported("AC121", severity="MEDIUM")], 81),
        ([reported(severity="CRITICAL")], 39),
        ([reported(severity="HIGH")], 69),
        ([reported(severity="HIGH", reach="test")], 69),
        ([reported("AC101", severity="CRITICAL"), reported("AC111", severity="CRITICAL")], 16),
    ],
)
def test_the_score_is_the_formula(findings: list[Reported], score: int) -> None:
    assert trust_score(findings).value == score


def test_a_file_that_may_pass_seventy_five_has_no_high_finding_of_high_confidence() -> None:
    assert trust_score([reported(severity="HIGH", reach="test")]).value < 75


def test_a_suppressed_finding_keeps_a_tenth_of_its_weight_and_caps_nothing() -> None:
    suppressed = replace(reported(severity="CRITICAL"), status="suppressed", reason="reviewed")

    assert trust_score([suppressed]).value == 94
    assert trust_score([replace(suppressed, until="2027-01-31")]).value == 100


def test_a_baselined_finding_counts_in_full() -> None:
    assert trust_score([replace(reported(severity="HIGH"), status="baselined")]).value == 69


@given(st.lists(any_reported(), max_size=12), any_reported())
def test_adding_a_finding_never_raises_a_score(findings: list[Reported], another: Reported) -> None:
    assert trust_score([*findings, another]).value <= trust_score(findings).value


@given(st.lists(any_reported(), max_size=12), st.randoms())
def test_the_order_of_findings_has_no_effect(findings: list[Reported], shuffle: random.Random) -> None:
    shuffled = list(findings)
    shuffle.shuffle(shuffled)

    assert trust_score(shuffled).value == trust_score(findings).value


@given(st.lists(any_reported(), max_size=12))
def test_a_reader_who_redoes_the_calculation_comes_to_the_same(findings: list[Reported]) -> None:
    score = trust_score(findings)

    assert len(score.terms) == len(findings)
    assert isclose(100 - sum(term.points for term in score.terms), score.product, abs_tol=1e-9)
    assert isclose(100 * prod(term.factor for term in score.terms), score.product, abs_tol=1e-9)
    assert score.value == min(round(score.product), 100 if score.cap is None else score.cap)
    assert 0 <= score.value <= 100


def test_thousands_of_findings_of_one_rule_weigh_as_two_of_them_and_no_more() -> None:
    many = [reported(severity="MEDIUM", line=line) for line in range(1, 10_001)]

    assert trust_score(many).value == 81
