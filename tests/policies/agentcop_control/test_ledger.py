"""An approval is answered once and used once, for its own call, in its own process."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_control.approval import Approval, Approve, Deny
from agentcop_control.ledger import ApprovalRefused, Ledger


def asked(ledger: Ledger, digest: str = "d1") -> Approval:
    return ledger.ask(digest=digest, policy_digest="p", agent_id="a", tool="pay", asked=0.0, deadline=60.0)


def test_an_approval_goes_from_pending_over_approved_to_used() -> None:
    ledger = Ledger()
    approval = asked(ledger)
    assert approval.state == "pending"
    assert ledger.pending() == (approval,)
    assert ledger.answer(approval.id, Approve(), by="ann").state == "approved"
    assert ledger.use(approval.id, digest="d1").state == "used"
    assert (ledger.get(approval.id).by, ledger.pending()) == ("ann", ())


def test_a_used_one_is_not_used_again() -> None:
    ledger = Ledger()
    approval = asked(ledger)
    ledger.answer(approval.id, Approve(), by="ann")
    ledger.use(approval.id, digest="d1")
    with pytest.raises(ApprovalRefused, match="used"):
        ledger.use(approval.id, digest="d1")


@pytest.mark.parametrize("digest", ["d2", "", "D1"])
def test_it_covers_no_other_call(digest: str) -> None:
    ledger = Ledger()
    approval = asked(ledger)
    ledger.answer(approval.id, Approve(), by="ann")
    with pytest.raises(ApprovalRefused):
        ledger.use(approval.id, digest=digest)
    assert ledger.use(approval.id, digest="d1").state == "used"


def test_without_a_digest_there_is_nothing_to_approve() -> None:
    ledger = Ledger()
    approval = asked(ledger, digest="")
    ledger.answer(approval.id, Approve(), by="ann")
    with pytest.raises(ApprovalRefused):
        ledger.use(approval.id, digest="")


STEPS = st.lists(st.sampled_from(["approve", "deny", "expire", "use"]), max_size=6)


@given(STEPS)
def test_whatever_comes_in_whatever_order_it_is_used_at_most_once_and_only_after_a_yes_that_came_first(
    steps: list[str],
) -> None:
    ledger = Ledger()
    approval = asked(ledger)
    used = 0
    for step in steps:
        match step:
            case "approve":
                ledger.answer(approval.id, Approve(), by="ann")
            case "deny":
                ledger.answer(approval.id, Deny(), by="bob")
            case "expire":
                ledger.expire(approval.id)
            case _:
                try:
                    ledger.use(approval.id, digest="d1")
                    used += 1
                except ApprovalRefused:
                    pass
    answers = [step for step in steps if step != "use"]
    may = bool(answers) and answers[0] == "approve"
    assert used <= (1 if may else 0)
    if may and steps[steps.index("approve") + 1 :][:1] == ["use"]:
        assert used == 1


def test_of_many_who_race_for_it_one_wins() -> None:
    ledger = Ledger()
    approval = asked(ledger)
    ledger.answer(approval.id, Approve(), by="ann")

    def use(_: int) -> bool:
        try:
            ledger.use(approval.id, digest="d1")
        except ApprovalRefused:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(use, range(64))) == 1


def test_ids_do_not_repeat_and_old_ones_are_forgotten_in_the_end() -> None:
    ledger = Ledger()
    first = asked(ledger)
    ledger.expire(first.id)
    others = {ledger.expire(asked(ledger).id).id for _ in range(1_000)}
    assert len(others) == 1_000
    with pytest.raises(ApprovalRefused, match="no such"):
        ledger.use(first.id, digest="d1")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_no_grant_of_its_parents() -> None:
    from agentcop_control.ledger import LEDGER

    approval = asked(LEDGER)
    LEDGER.answer(approval.id, Approve(), by="ann")
    child = os.fork()
    if child == 0:
        try:
            LEDGER.use(approval.id, digest="d1")
        except ApprovalRefused:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert LEDGER.use(approval.id, digest="d1").state == "used"
