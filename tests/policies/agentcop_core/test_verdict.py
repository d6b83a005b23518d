"""Which of several verdicts holds."""

from __future__ import annotations

import dataclasses
import itertools
import pickle
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_core.verdict import Decision, Mode, Verdict, strictest

DECISIONS: tuple[Decision, ...] = get_args(Decision)
MODES: tuple[Mode, ...] = get_args(Mode)
VERDICTS = st.builds(
    Verdict,
    decision=st.sampled_from(DECISIONS),
    mode=st.sampled_from(MODES),
    rule=st.text(max_size=2),
    reason=st.just(""),
)


def verdict(decision: Decision, mode: Mode = "enforce", rule: str = "r") -> Verdict:
    return Verdict(decision=decision, mode=mode, rule=rule, reason="")


@pytest.mark.parametrize(
    ("decision", "mode", "stops"),
    [
        ("allow", "enforce", False),
        ("require_approval", "enforce", True),
        ("block", "enforce", True),
        ("allow", "observe", False),
        ("require_approval", "observe", False),
        ("block", "observe", False),
    ],
)
def test_only_an_enforced_decision_other_than_allow_stops_a_call(decision: Decision, mode: Mode, stops: bool) -> None:
    assert verdict(decision, mode).stops is stops


@given(st.lists(VERDICTS, min_size=1))
def test_the_strictest_stops_exactly_if_any_stops(verdicts: list[Verdict]) -> None:
    assert strictest(verdicts).stops == any(one.stops for one in verdicts)


@given(st.lists(VERDICTS, min_size=1), VERDICTS)
def test_one_more_verdict_never_loosens(verdicts: list[Verdict], more: Verdict) -> None:
    before, after = strictest(verdicts), strictest([*verdicts, more])

    assert after.stops >= before.stops
    if before.stops and before.decision == "block":
        assert after.decision == "block"


@given(st.lists(VERDICTS, min_size=1))
def test_the_decision_does_not_depend_on_the_order(verdicts: list[Verdict]) -> None:
    chosen, turned = strictest(verdicts), strictest(verdicts[::-1])

    assert (chosen.decision, chosen.mode == "enforce" and chosen.stops) == (turned.decision, turned.stops)


def test_ties_go_to_the_earliest() -> None:
    for decision, mode in itertools.product(DECISIONS, MODES):
        same = [verdict(decision, mode, rule) for rule in "abc"]
        assert strictest(same).rule == "a"


def test_an_enforced_question_outranks_an_observed_block() -> None:
    assert strictest([verdict("block", "observe"), verdict("require_approval")]).decision == "require_approval"


def test_an_observed_block_beside_an_enforced_allow_is_seen_and_does_not_stop() -> None:
    chosen = strictest([verdict("allow"), verdict("block", "observe")])

    assert chosen.decision == "block"
    assert not chosen.stops


def test_a_verdict_cannot_be_changed_and_survives_pickling() -> None:
    given_verdict = verdict("block")
    with pytest.raises(dataclasses.FrozenInstanceError):
        given_verdict.decision = "allow"  # type: ignore[misc]

    assert pickle.loads(pickle.dumps(given_verdict)) == given_verdict  # noqa: S301 -- what it wrote itself
