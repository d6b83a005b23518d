"""The rules on secrets, poisoned tools, configurations and code, measured on their labelled cases."""

from __future__ import annotations

import pytest

from scan_cases import CASES, Case, Outcome, cases, outcome, table

DEVELOPMENT = [*cases(CASES / "development")]
HELD_OUT = [*cases(CASES / "heldout")]


def _found(outcomes: list[Outcome]) -> tuple[int, int]:
    labels = sum(len(one.case.expected) for one in outcomes)
    return labels - sum(len(one.missed) for one in outcomes), labels


def test_there_are_at_least_forty_positive_and_eighty_honest_cases() -> None:
    assert sum(bool(case.expected) for case in DEVELOPMENT) >= 40
    assert sum(not case.expected for case in DEVELOPMENT) >= 80


@pytest.mark.parametrize("given", [DEVELOPMENT, HELD_OUT], ids=["development", "held out"])
def test_recall_and_false_alarms_do_not_get_worse(given: list[Case]) -> None:
    outcomes = [outcome(case) for case in given]
    found, labels = _found(outcomes)
    print(table(outcomes))  # noqa: T201  # the table is what a person runs this for
    assert found == labels, table(outcomes)
    assert not [one for one in outcomes if one.false], table(outcomes)
