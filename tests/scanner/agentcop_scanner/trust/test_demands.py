from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_scanner.finding import SEVERITIES, Severity
from agentcop_scanner.report import Changes, Drop, FileResult, Report
from agentcop_scanner.trust.demands import Demands, outcome
from findings import file_of, finding, report_of

ANY = st.builds(
    Demands,
    min_score=st.none() | st.integers(0, 100),
    fail_on=st.lists(st.sampled_from(SEVERITIES), unique=True).map(tuple),
)
REPORTS = st.lists(st.sampled_from(SEVERITIES), max_size=4).map(
    lambda severities: report_of(file_of(*(finding(severity=one, confidence="medium") for one in severities)))
)


@pytest.mark.parametrize(
    ("named", "failing"),
    [
        ((), ()),
        (("CRITICAL",), ("CRITICAL",)),
        (("HIGH",), ("CRITICAL", "HIGH")),
        (("LOW",), SEVERITIES),
        (("CRITICAL", "LOW"), ("CRITICAL", "LOW")),
    ],
)
def test_what_is_worse_than_all_that_is_named_fails_too(
    named: tuple[Severity, ...], failing: tuple[Severity, ...]
) -> None:
    assert Demands(fail_on=named).failing == failing


@given(REPORTS, ANY, ANY)
def test_two_demands_together_are_never_looser_than_either(report: Report, one: Demands, other: Demands) -> None:
    both = outcome(report, one.also(other)).code

    assert both >= max(outcome(report, one).code, outcome(report, other).code)
    assert one.also(other) == other.also(one)


def test_without_demands_a_scan_passes_whatever_it_finds() -> None:
    assert outcome(report_of(file_of(finding(severity="CRITICAL"))), Demands()).code == 0


def test_only_open_findings_fail_and_every_finding_scores() -> None:
    file = file_of(finding())
    known = replace(file, findings=tuple(replace(one, status="baselined") for one in file.findings))

    assert outcome(report_of(file), Demands(fail_on=("HIGH",))).code == 1
    assert outcome(report_of(known), Demands(fail_on=("HIGH",))).code == 0
    assert outcome(report_of(known), Demands(min_score=75)).crossed == ("agents/files.py: trust score 69 is below 75",)


def test_a_fallen_score_fails_without_any_demand() -> None:
    changes = Changes(since="baseline b.json", new=0, known=0, drops=(Drop(path="a.py", before=90, after=80),))

    found = outcome(replace(report_of(file_of()), changes=changes), Demands())

    assert found.code == 1
    assert found.crossed == ("a.py: trust score fell from 90 to 80 since baseline b.json",)


def test_what_could_not_be_scanned_outweighs_what_was_found() -> None:
    broken = FileResult(path="b.py", score=None, unscored="unparsable", problem="line 1: invalid syntax")

    found = outcome(report_of(file_of(finding()), broken), Demands(min_score=75))

    assert found.code == 2
    assert found.crossed
    assert found.unscored == ("b.py: not scored: line 1: invalid syntax",)
