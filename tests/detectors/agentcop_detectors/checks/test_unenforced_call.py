"""Unenforced call: a call that no gate judged is told of, one that a gate judged in whatever span is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_spans import SECOND, START, a_run, a_step, ident
from agentcop_detectors.checks.coverage import coverage, covered
from agentcop_detectors.checks.unenforced_call import UnenforcedCall

if TYPE_CHECKING:
    from agentcop_detectors.checks._interface import Anomaly
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step

CALL = a_step(1)
AGENT = a_step(9, kind="agent", start=START, end=START + 100 * SECOND)


def found(run: Run, state: dict[str, Any] | None = None) -> list[Anomaly]:
    return list(UnenforcedCall().on_look(run, state if state is not None else {}))


def test_a_call_without_a_verdict_is_critical_and_says_whose_span_it_was() -> None:
    (anomaly,) = found(a_run(CALL, closed="root"))

    assert (anomaly.severity, anomaly.agent_id, anomaly.tool) == ("critical", "billing", "search")
    assert (anomaly.trace_id, anomaly.span_id) == (CALL.trace_id, CALL.span_id)
    assert "spans of other" in anomaly.reason


@pytest.mark.parametrize("verdict", ["allow", "block", "require_approval"])
def test_a_call_with_a_verdict_is_enforced(verdict: str) -> None:
    assert found(a_run(a_step(1, verdict=verdict), closed="root")) == []


def test_what_is_no_tool_call_needs_no_verdict() -> None:
    steps = [a_step(number, kind=kind) for number, kind in enumerate(("agent", "model", "other"), 1)]
    assert found(a_run(*steps, closed="root")) == []


def test_a_request_to_a_server_with_no_tool_around_it_is_a_call() -> None:
    client = a_step(1, kind="transport", name="wipe")
    assert [each.tool for each in found(a_run(client, closed="root"))] == ["wipe"]
    assert found(a_run(client)) == [], "the tool's own span may still come"
    assert (
        found(
            a_run(
                a_step(2, kind="agent", verdict="allow"), a_step(1, kind="transport", parent_id=ident(2)), closed="root"
            )
        )
        == []
    )


@pytest.mark.parametrize("outside", [True, False])
def test_a_request_that_is_part_of_a_tool_call_is_that_call(outside: bool) -> None:
    above, below = ("tool", "transport") if outside else ("transport", "tool")
    steps = [
        a_step(1, kind=above),
        a_step(2, kind="other", parent_id=ident(1)),
        a_step(3, kind=below, parent_id=ident(2)),
    ]
    assert len(found(a_run(*steps, closed="root"))) == 1, "the tool, and not the request besides"
    judged = [a_step(1, kind=above, verdict="allow"), *steps[1:]]
    assert found(a_run(*judged, closed="root")) == []


@pytest.mark.parametrize("between", [0, 1, 30])
def test_an_ancestor_with_a_verdict_enforces(between: int) -> None:
    judged = a_step(1, verdict="allow", kind="tool", name="outer")
    chain = [a_step(number, parent_id=ident(number - 1), kind="other") for number in range(2, 2 + between)]
    call = a_step(2 + between, parent_id=ident(1 + between))
    assert found(a_run(judged, *chain, call, closed="root")) == []


@pytest.mark.parametrize("between", [0, 1, 30])
def test_a_descendant_with_a_verdict_enforces(between: int) -> None:
    call = a_step(1)
    chain = [a_step(number, parent_id=ident(number - 1), kind="other") for number in range(2, 2 + between)]
    judged = a_step(2 + between, parent_id=ident(1 + between), verdict="allow", name="inner")
    assert found(a_run(call, *chain, judged, closed="root")) == []


def sibling(**said: Any) -> Run:
    judged: dict[str, Any] = {"parent_id": AGENT.span_id, "verdict": "allow", "scope": "agentcop", "start": CALL.start}
    call = a_step(1, parent_id=AGENT.span_id)
    return a_run(AGENT, call, a_step(2, **judged | said), closed="root")


def test_a_sibling_of_the_same_name_and_time_enforces() -> None:
    assert found(sibling()) == []
    assert found(sibling(start=CALL.start + SECOND // 2, end=CALL.end + 5 * SECOND)) == []


@pytest.mark.parametrize(
    "said",
    [
        {"name": "another"},
        {"start": CALL.end + 1},
        {"start": CALL.start - 5 * SECOND, "end": CALL.start - 1},
        {"parent_id": ident(77)},
    ],
    ids=["another tool", "later", "earlier", "elsewhere in the tree"],
)
def test_any_other_sibling_does_not(said: dict[str, Any]) -> None:
    assert len(found(sibling(**said))) == 1


def test_a_sibling_is_found_behind_longer_and_shorter_ones() -> None:
    spans = [(0, 100), (10, 11), (20, 21), (300, 400)]
    judged = [
        a_step(number, parent_id=AGENT.span_id, verdict="allow", start=START + a * SECOND, end=START + b * SECOND)
        for number, (a, b) in enumerate(spans, 100)
    ]
    inside = a_step(1, parent_id=AGENT.span_id, start=START + 50 * SECOND)
    between = a_step(2, parent_id=AGENT.span_id, start=START + 200 * SECOND)

    run = a_run(*judged, inside, between, closed="root")

    assert inside.span_id in covered(run)
    assert between.span_id not in covered(run)
    assert [anomaly.span_id for anomaly in found(run)] == [between.span_id]


def test_a_verdict_elsewhere_in_the_run_enforces_nothing() -> None:
    judged = a_step(2, parent_id=AGENT.span_id, verdict="allow", name="other tool")
    run = a_run(AGENT, judged, a_step(1, parent_id=AGENT.span_id), closed="root")
    assert [anomaly.tool for anomaly in found(run)] == ["search"]


def test_a_call_that_ended_a_moment_ago_may_still_get_its_verdict() -> None:
    late = a_step(2, kind="agent", start=CALL.start, end=CALL.end + 3 * SECOND)

    assert found(a_run(CALL)) == []
    assert len(found(a_run(CALL, late))) == 1
    assert len(found(a_run(CALL, full=True))) == 1


def test_one_alert_for_each_agent_and_scope() -> None:
    state: dict[str, Any] = {}
    run = a_run(a_step(1), a_step(2, scope="second"), a_step(3), a_step(4, agent_id="other"), closed="root")

    assert sorted((each.agent_id, each.key) for each in found(run, state)) == [
        ("billing", "unenforced_call:billing:other"),
        ("billing", "unenforced_call:billing:second"),
        ("other", "unenforced_call:other:other"),
    ]
    assert found(a_run(a_step(8, trace_id=ident(2, 16)), closed="root"), state) == []


def test_the_ledger_counts_by_scope() -> None:
    run = a_run(a_step(1), a_step(2, name="read", verdict="allow"), a_step(5, scope="agentcop", verdict="block"), AGENT)
    assert coverage(run) == {"other": (1, 1), "agentcop": (1, 0)}


def test_a_ring_of_spans_is_not_followed_for_ever() -> None:
    ring = [a_step(number, parent_id=ident(number % 5 + 1)) for number in range(1, 6)]
    assert len(covered(a_run(*ring))) == 0
    assert len(covered(a_run(*ring, a_step(9, parent_id=ident(3), verdict="allow")))) == 6


def test_shed_ancestors_still_enforce() -> None:
    assert found(a_run(a_step(2, parent_id=ident(1)), shed_judged={ident(1)}, closed="root")) == []


@st.composite
def trees(draw: st.DrawFn) -> list[Step]:
    count = draw(st.integers(1, 12))
    return [
        a_step(
            number,
            parent_id=ident(draw(st.integers(0, 12))) if draw(st.booleans()) else b"",
            name=draw(st.sampled_from(("a", "b"))),
            verdict=draw(st.sampled_from(("", "", "allow"))),
            start=START + draw(st.integers(0, 5)),
            end=START + 5 + draw(st.integers(0, 5)),
        )
        for number in range(1, count + 1)
    ]


def _plain(steps: list[Step]) -> set[bytes]:
    """The definition, word for word."""
    by_id = {step.span_id: step for step in steps}

    def above(step: Step) -> set[bytes]:
        seen: set[bytes] = set()
        at = by_id.get(step.parent_id)
        while at is not None and at.span_id not in seen:
            seen.add(at.span_id)
            at = by_id.get(at.parent_id)
        return seen

    judged = {step.span_id for step in steps if step.verdict}
    return {
        step.span_id
        for step in steps
        if step.span_id in judged
        or above(step) & judged
        or any(other.verdict and step.span_id in above(other) for other in steps)
        or any(
            other.verdict
            and (other.parent_id, other.name) == (step.parent_id, step.name)
            and other.start <= step.end
            and step.start <= other.end
            for other in steps
        )
    }


@given(trees())
def test_what_counts_as_enforced_is_what_the_definition_says(steps: list[Step]) -> None:
    assert covered(a_run(*steps)) == _plain(steps)
