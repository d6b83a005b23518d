"""What the log, the span and the error say of a call that was held, and what they keep to themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import approvals
import gatefile
import telemetry
from agentcop import ApprovalDenied, ApprovalExpired, Approve, Deny, NoApprover, ToolBlocked, ToolCall
from agentcop_control.ledger import LEDGER
from agentcop_processor.call.refusals import refusal_text
from paying import RAN, SHORT, never, no, outcomes, pay, yes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_ran() -> Iterator[None]:
    RAN.clear()
    yield
    assert LEDGER.pending() == ()


def test_the_question_is_logged_before_it_is_asked_and_the_yes_before_the_body(
    tmp_path: Path, agentcop_home: Path
) -> None:
    seen: list[list[str]] = []

    def kinds() -> list[str]:
        return [line.get("verdict") or line["outcome"] for line in gatefile.lines(agentcop_home) if "call" in line]

    def approver(call: ToolCall, deadline: float) -> Approve:
        seen.append(kinds())
        return Approve(by="ann")

    def body() -> None:
        seen.append(kinds())

    approvals.cop(tmp_path, approver).tool(body, name="pay")()

    assert seen == [["require_approval"], ["require_approval", "approved", "allow"]]
    asked, allowed = gatefile.lines(agentcop_home, "decision")
    approved, ran = gatefile.lines(agentcop_home, "outcome")
    assert approved["of"].startswith(f"{asked['w']}:{asked['n']}:")
    assert ran["of"].startswith(f"{allowed['w']}:{allowed['n']}:")
    assert approved["approval"] == allowed["approval"]
    assert (approved["by"], approved["approved_locally"], allowed["approved_locally"]) == ("ann", True, True)
    assert len({line["digest"] for line in (asked, allowed)} | {asked["call"], allowed["call"]}) == 2


def ending(tmp_path: Path, approver: Any, **sections: str) -> tuple[ToolBlocked, dict[str, Any]]:
    """The refusal, and the attributes of the call's span."""
    with telemetry.application_provider() as exporter:
        guarded = approvals.cop(tmp_path, approver, **sections).tool(pay)
        with pytest.raises(ToolBlocked) as refused:
            guarded(1)
    assert RAN == []
    (span,) = exporter.get_finished_spans()
    assert not span.status.is_ok
    return refused.value, dict(span.attributes or {})


def test_four_ways_not_to_be_approved_differ_in_type_text_log_span_and_for_the_model(
    tmp_path: Path, agentcop_home: Path
) -> None:
    def broken(call: ToolCall, deadline: float) -> Approve:
        raise ValueError("secret-of-the-approver")

    denied = ending(tmp_path, no)
    expired = ending(tmp_path, never, approvals=SHORT)
    nobody = ending(tmp_path, None)
    failed = ending(tmp_path, broken)
    ends = [denied, expired, nobody, failed]
    needs = "This call needs a person's approval (gate.require_approval[0])"

    assert [type(error) for error, _ in ends] == [ApprovalDenied, ApprovalExpired, NoApprover, NoApprover]
    assert outcomes(agentcop_home) == ["denied", "expired", "no_approver", "approver_failed"]
    assert [span["agentcop.approval.outcome"] for _, span in ends] == outcomes(agentcop_home)
    assert [span["error.type"] for _, span in ends] == [type(error).__name__ for error, _ in ends]
    assert ["agentcop.approval.id" in span for _, span in ends] == [True, True, False, True]
    assert [refusal_text(error) for error, _ in ends[:3]] == [
        "Denied by ann (gate.require_approval[0]): not today. Do not retry; tell the user.",
        f"{needs}: no answer in 0.05 s. Do not retry; tell the user.",
        f"{needs} and nobody can be asked. Do not retry; tell the user.",
    ]
    assert len({str(error) for error, _ in ends}) == 4
    assert "ValueError" in str(failed[0])
    assert "secret-of-the-approver" not in str(failed[0])
    assert isinstance(denied[0], ApprovalDenied)
    assert (denied[0].by, denied[0].message) == ("ann", "not today")
    assert isinstance(expired[0], ApprovalExpired)
    assert expired[0].waited > 0


def test_an_approved_call_says_so_on_its_span(tmp_path: Path) -> None:
    with telemetry.application_provider() as exporter:
        approvals.cop(tmp_path, yes).tool(pay)(1)
    (span,) = exporter.get_finished_spans()
    assert span.status.is_unset
    attributes = dict(span.attributes or {})
    assert attributes["agentcop.verdict"] == "allow"
    assert attributes["agentcop.approval.outcome"] == "approved"
    assert attributes["agentcop.approval.by"] == "ann"
    assert attributes["agentcop.approval.approved_locally"] is True


def test_a_secret_in_a_denial_stays_out_of_the_log_and_the_span(tmp_path: Path, agentcop_home: Path) -> None:
    def leaky(call: ToolCall, deadline: float) -> Deny:
        return Deny("use password=hunter2-canary instead")

    with telemetry.application_provider() as exporter, pytest.raises(ApprovalDenied):
        approvals.cop(tmp_path, leaky).tool(pay)(1)
    assert "hunter2-canary" not in (agentcop_home / "gate.log").read_text(encoding="utf-8")
    assert "hunter2-canary" not in exporter.get_finished_spans()[0].to_json()


def test_what_an_approver_says_is_bounded_and_on_one_line_everywhere(tmp_path: Path, agentcop_home: Path) -> None:
    def talkative(call: ToolCall, deadline: float) -> Deny:
        return Deny("no\n\x1b[2J" + "x" * 5_000_000, by="a\u202enn")

    with pytest.raises(ApprovalDenied) as refused:
        approvals.cop(tmp_path, talkative).tool(pay)(1)
    for text in (str(refused.value), refused.value.message, refusal_text(refused.value)):
        assert text.isprintable()
        assert len(text) < 3_000
        assert "chars" in text
    assert refused.value.by == "a\\u202enn"
    (outcome,) = gatefile.lines(agentcop_home, "outcome")
    assert (outcome["outcome"], outcome["by"]) == ("denied", "a\\u202enn")
