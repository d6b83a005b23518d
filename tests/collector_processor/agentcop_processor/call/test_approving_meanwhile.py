"""What changes while a call waits: it runs as it was approved, once, under the policy of that moment; else not."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import approvals
import gatefile
from agentcop import AgentCop, Approve, Deny, PolicyBlocked, ToolBlocked, ToolCall
from agentcop_control.ledger import LEDGER
from agentcop_policies import load_policy
from agentcop_processor.call import approving, seam
from paying import RAN, never, never_later, outcomes, pay, pay_later, yes, yes_later

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_control.asking import Question


@pytest.fixture(autouse=True)
def _nothing_ran() -> Iterator[None]:
    RAN.clear()
    yield
    assert LEDGER.pending() == ()


# --- what is approved is what runs


def test_arguments_changed_by_the_caller_while_waiting_do_not_run(tmp_path: Path) -> None:
    order = {"to": "bob"}

    def approver(call: ToolCall, deadline: float) -> Approve:
        order["to"] = "eve"
        return Approve()

    approvals.cop(tmp_path, approver).tool(pay)(order)
    assert RAN == [{"to": "bob"}]


def test_arguments_changed_by_the_approver_are_refused(tmp_path: Path, agentcop_home: Path) -> None:
    def approver(call: ToolCall, deadline: float) -> Approve:
        call.arguments.values["amount"]["to"] = "eve"  # type: ignore[index]  # the attack
        return Approve()

    with pytest.raises(PolicyBlocked) as refused:
        approvals.cop(tmp_path, approver).tool(pay)({"to": "bob"})
    assert (RAN, refused.value.rule) == ([], "gate.digest")
    assert outcomes(agentcop_home) == ["approved", "changed"]


def test_a_policy_that_now_blocks_refuses_what_was_approved(tmp_path: Path, agentcop_home: Path) -> None:
    guard = approvals.cop(tmp_path, lambda call, deadline: tighten())

    def tighten() -> Approve:
        approvals.gate_of(guard).policy = load_policy(
            approvals.policy_file(tmp_path, gate="{block: [pay], default: allow}")
        )
        return Approve(by="ann")

    with pytest.raises(PolicyBlocked) as refused:
        guard.tool(pay)(1)
    assert (RAN, refused.value.rule) == ([], "gate.block[0]")
    assert [line["verdict"] for line in gatefile.lines(agentcop_home, "decision")] == ["require_approval", "block"]
    assert outcomes(agentcop_home) == ["approved"]


def test_a_policy_that_changed_and_still_asks_asks_again(tmp_path: Path) -> None:
    asked: list[str] = []
    before = set(LEDGER._open)  # noqa: SLF001 -- what other tests never used
    guard = approvals.cop(tmp_path, lambda call, deadline: change())

    def change() -> Approve:
        asked.append(guard.policy.version)
        approvals.gate_of(guard).policy = load_policy(approvals.policy_file(tmp_path, version='"2"'))
        return Approve()

    assert guard.tool(pay)(1) == "paid"
    assert asked == ["", "2"]
    assert set(LEDGER._open) == before  # noqa: SLF001 -- the first grant is not left lying about


def test_a_condition_on_the_time_is_judged_at_the_time_of_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    gate = "{require_approval: [pay], block: [{tool: pay, when: 'now > timestamp(\"%s\")'}]}"
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 3_600))

    def dawdle(call: ToolCall, deadline: float) -> Approve:
        monkeypatch.setattr(approving, "time", SimpleNamespace(time=lambda: now + 7_200))
        return Approve()

    with pytest.raises(PolicyBlocked):
        approvals.cop(tmp_path, dawdle, gate=gate % until).tool(pay)(1)
    assert RAN == []


def held(guard: AgentCop, amount: int) -> Any:
    """The passage of an approved call that did not enter its body yet."""
    return seam.admit("pay", {"amount": amount}, (approvals.gate_of(guard),))


def test_a_grant_is_spent_by_the_first_use(tmp_path: Path, agentcop_home: Path) -> None:
    passage = held(approvals.cop(tmp_path, yes), 1)
    passage.enter()
    passage.returned("paid")
    with pytest.raises(PolicyBlocked) as replayed:
        passage.enter()
    assert replayed.value.rule == "gate.approval"
    assert outcomes(agentcop_home) == ["approved", "ok", "approval_refused"]


def test_a_grant_for_one_call_does_not_open_another(tmp_path: Path) -> None:
    guard = approvals.cop(tmp_path, yes)
    small, large = held(guard, 1), held(guard, 1_000_000)
    large._grants, grants = small._grants, large._grants  # noqa: SLF001 -- the attack
    with pytest.raises(PolicyBlocked, match="another call"):
        large.enter()
    large._grants = grants  # noqa: SLF001 -- put back
    small.enter()
    small.returned(None)


def test_of_two_identical_calls_only_the_approved_one_runs(tmp_path: Path) -> None:
    answers: list[Any] = [Approve(), Deny("once is enough")]
    both = threading.Barrier(2, timeout=10)
    digests: set[str] = set()

    def approver(call: ToolCall, deadline: float) -> Any:
        digests.add(call.digest)
        both.wait()
        return answers.pop()

    guarded = approvals.cop(tmp_path, approver).tool(pay)
    with ThreadPoolExecutor(2) as pool:
        tried = [pool.submit(guarded, 1) for _ in range(2)]
    assert sorted(type(each.exception()).__name__ for each in tried) == ["ApprovalDenied", "NoneType"]
    assert len(digests) == 1
    assert RAN == [1]


def test_a_live_argument_is_approved_for_this_process_only(tmp_path: Path) -> None:
    class Connection:
        pass

    connection = Connection()
    steered = approvals.Steered()
    steered.go.set()
    approvals.cop(tmp_path, steered).tool(pay, live=["amount"])(connection)
    assert [connection] == RAN
    assert steered.asked[0][0].arguments.opaque == ("amount",)


def test_a_run_that_was_halted_meanwhile_refuses_what_was_approved(tmp_path: Path) -> None:
    from agentcop_processor.runs import Run, RunScope

    guard = approvals.cop(tmp_path, lambda call, deadline: halted())
    gate = approvals.gate_of(guard)
    run = Run(gate, gate.session)

    def halted() -> Approve:
        run.refused(ToolBlocked(tool="other", reason="no"), sticky=True)
        run.halt()
        return Approve()

    with RunScope(run), pytest.raises(PolicyBlocked) as refused:
        guard.tool(pay)(1)
    assert (RAN, refused.value.rule) == ([], "run.blocked")


# --- waiting


def test_a_hundred_parallel_waits_in_one_loop_leave_it_free(tmp_path: Path) -> None:
    steered = approvals.Steered()
    guarded = approvals.cop(tmp_path, steered).tool(pay_later, name="pay")

    async def main() -> list[str]:
        calls = [asyncio.ensure_future(guarded(number)) for number in range(100)]
        while len(steered.asked) < 100:  # noqa: ASYNC110 -- other threads count, no event of this loop
            await asyncio.sleep(0.001)
        assert RAN == []
        steered.go.set()
        return await asyncio.gather(*calls)

    assert asyncio.run(main()) == ["paid"] * 100
    assert sorted(RAN) == list(range(100))


def test_a_hundred_parallel_waits_in_threads_each_get_their_own_answer(tmp_path: Path, agentcop_home: Path) -> None:
    def approver(call: ToolCall, deadline: float) -> Any:
        amount = call.arguments.plain["amount"]
        return Approve() if isinstance(amount, int) and amount % 2 else Deny()

    guarded = approvals.cop(tmp_path, approver).tool(pay)
    with ThreadPoolExecutor(100) as pool:
        tried = [pool.submit(guarded, number) for number in range(100)]
    assert [each.exception() is None for each in tried] == [bool(number % 2) for number in range(100)]
    assert sorted(RAN) == list(range(1, 100, 2))
    assert len({line["approval"] for line in gatefile.lines(agentcop_home, "outcome") if "approval" in line}) == 100


@pytest.mark.parametrize("approver", [never, never_later])
def test_a_caller_that_is_cancelled_while_waiting_runs_nothing(
    tmp_path: Path, agentcop_home: Path, approver: Any
) -> None:
    guard = approvals.cop(tmp_path, approver)
    guarded = guard.tool(pay_later, name="pay")

    async def main() -> None:
        call = asyncio.ensure_future(guarded(1))
        while not LEDGER.pending():  # noqa: ASYNC110 -- the ledger has no event
            await asyncio.sleep(0.001)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(main())
    assert RAN == []
    assert guard.counts() == {"expired": 1}
    (outcome,) = gatefile.lines(agentcop_home, "outcome")
    assert (outcome["outcome"], outcome["error"]) == ("expired", "CancelledError")


def test_an_interrupted_sync_wait_runs_nothing(
    tmp_path: Path, agentcop_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(question: Question, contact: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("agentcop_processor.call.approving.ask", interrupted)
    with pytest.raises(KeyboardInterrupt):
        approvals.cop(tmp_path, never).tool(pay)(1)
    assert (RAN, outcomes(agentcop_home)) == ([], ["expired"])


def test_a_fault_of_ours_while_waiting_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(question: Question, contact: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("agentcop_processor.call.approving.ask", broken)
    with pytest.raises(PolicyBlocked) as refused:
        approvals.cop(tmp_path, never).tool(pay)(1)
    assert (RAN, refused.value.rule) == ([], "gate.error")


def test_a_coroutine_outside_asyncio_is_refused(tmp_path: Path) -> None:
    call = approvals.cop(tmp_path, yes_later).tool(pay_later, name="pay")(1)
    with pytest.raises(PolicyBlocked):
        call.send(None)
    assert RAN == []


def test_a_log_that_fails_after_the_yes_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = approvals.cop(tmp_path, lambda call, deadline: full())
    log = approvals.gate_of(guard).pipeline.log

    def full() -> Approve:
        def fails(*args: object, **kwargs: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(log, "append", fails)
        return Approve()

    with pytest.raises(PolicyBlocked) as refused:
        guard.tool(pay)(1)
    assert (RAN, refused.value.rule) == ([], "gate.log_failure")
