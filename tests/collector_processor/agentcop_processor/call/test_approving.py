"""A held call runs once, on a yes that was given for it, under the policy of that moment; else it does not run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import approvals
import gatefile
import telemetry
from agentcop import (
    AgentCop,
    ApprovalDenied,
    ApprovalExpired,
    Approve,
    Deny,
    GatePolicy,
    NoApprover,
    PolicyBlocked,
    ToolBlocked,
    ToolCall,
)
from agentcop_control.ledger import LEDGER
from agentcop_policies import load_policy
from agentcop_processor.call import approving, seam
from agentcop_processor.call.refusals import refusal_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from agentcop_control.asking import Question

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> Iterator[None]:
    RAN.clear()
    yield
    assert LEDGER.pending() == ()


def pay(amount: Any = 1) -> str:
    RAN.append(amount)
    return "paid"


async def pay_later(amount: Any = 1) -> str:
    RAN.append(amount)
    await asyncio.sleep(0)
    return "paid"


def yes(call: ToolCall, deadline: float) -> Approve:
    return Approve(by="ann")


async def yes_later(call: ToolCall, deadline: float) -> Approve:
    await asyncio.sleep(0)
    return Approve(by="ann")


def no(call: ToolCall, deadline: float) -> Deny:
    return Deny("not today", by="ann")


def never(call: ToolCall, deadline: float) -> Approve:
    threading.Event().wait(30)
    return Approve()


async def never_later(call: ToolCall, deadline: float) -> Approve:
    await asyncio.sleep(30)
    return Approve()


SHORT = "{timeout: 50ms}"


def outcomes(home: Path) -> list[str]:
    return [line["outcome"] for line in gatefile.lines(home, "outcome")]


# --- yes


@pytest.mark.parametrize("approver", [yes, yes_later])
def test_a_sync_call_runs_after_a_yes_with_what_was_approved(tmp_path: Path, approver: Any) -> None:
    guard = approvals.cop(tmp_path, approver)

    assert guard.tool(pay)(5) == "paid"
    assert RAN == [5]
    assert guard.counts() == {"approved": 1}


@pytest.mark.parametrize("approver", [yes, yes_later])
def test_an_async_call_runs_after_a_yes(tmp_path: Path, approver: Any) -> None:
    guarded = approvals.cop(tmp_path, approver).tool(pay_later, name="pay")

    assert asyncio.run(guarded(5)) == "paid"
    assert RAN == [5]


@pytest.mark.parametrize("approver", [yes, yes_later])
def test_a_sync_tool_in_a_running_loop_can_be_approved(tmp_path: Path, approver: Any) -> None:
    guarded = approvals.cop(tmp_path, approver).tool(pay)

    async def main() -> str:
        return guarded(5)

    assert asyncio.run(main()) == "paid"


def test_generators_of_both_kinds_wait_at_their_first_step(tmp_path: Path) -> None:
    guard = approvals.cop(tmp_path, yes_later)

    def parts(amount: int) -> Iterator[int]:
        RAN.append(amount)
        yield amount

    async def parts_later(amount: int) -> AsyncIterator[int]:
        RAN.append(amount)
        yield amount

    async def collect() -> list[int]:
        return [part async for part in guard.tool(parts_later, name="pay")(2)]

    assert list(guard.tool(parts, name="pay")(1)) == [1]
    assert asyncio.run(collect()) == [2]
    assert guard.counts() == {"approved": 2}


def test_an_approver_object_whose_call_is_async_is_awaited_in_the_callers_loop(tmp_path: Path) -> None:
    loops: list[Any] = []

    class Desk:
        async def __call__(self, call: ToolCall, deadline: float) -> Approve:
            loops.append(asyncio.get_running_loop())
            return Approve()

    guarded = approvals.cop(tmp_path, Desk()).tool(pay_later, name="pay")

    async def main() -> bool:
        await guarded()
        return loops == [asyncio.get_running_loop()]

    assert asyncio.run(main())


def test_a_sync_approver_that_returns_an_awaitable_is_heard(tmp_path: Path) -> None:
    guard = approvals.cop(tmp_path, lambda call, deadline: yes_later(call, deadline + 0))
    assert guard.tool(pay)(1) == "paid"


def test_the_approver_is_shown_the_frozen_call_and_when_its_time_is_up(tmp_path: Path) -> None:
    steered = approvals.Steered()
    steered.go.set()
    before = time.time()

    approvals.cop(tmp_path, steered, approvals="{timeout: 1h}").tool(pay)({"to": "bob"})

    ((call, deadline),) = steered.asked
    assert (call.tool, call.arguments.plain, len(call.digest)) == ("pay", {"amount": {"to": "bob"}}, 64)
    assert before + 3_600 <= deadline <= time.time() + 3_600


# --- the log and the span


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


# --- only a yes is a yes


@pytest.mark.parametrize("nonsense", [True, 1, "yes", None, Approve, {"approve": True}, Deny(5)], ids=repr)  # type: ignore[arg-type]  # the point
def test_anything_but_approve_is_refused(tmp_path: Path, nonsense: Any) -> None:
    def approver(call: ToolCall, deadline: float) -> Any:
        return nonsense

    with pytest.raises(NoApprover):
        approvals.cop(tmp_path, approver).tool(pay)(1)
    assert RAN == []


@pytest.mark.parametrize(
    "error", [RuntimeError, TimeoutError, StopIteration, SystemExit, KeyboardInterrupt, BaseException]
)
@pytest.mark.parametrize("body", [pay, pay_later])
def test_an_approver_that_raises_refuses(tmp_path: Path, body: Any, error: type[BaseException]) -> None:
    def approver(call: ToolCall, deadline: float) -> Approve:
        raise error

    guarded = approvals.cop(tmp_path, approver).tool(body, name="pay")
    with pytest.raises(NoApprover, match=error.__name__):
        asyncio.run(guarded(1)) if body is pay_later else guarded(1)
    assert RAN == []


@pytest.mark.parametrize("error", [RuntimeError, TimeoutError, asyncio.CancelledError])
@pytest.mark.parametrize("body", [pay, pay_later])
def test_an_async_approver_that_raises_refuses(tmp_path: Path, body: Any, error: type[BaseException]) -> None:
    async def approver(call: ToolCall, deadline: float) -> Approve:
        raise error

    guarded = approvals.cop(tmp_path, approver).tool(body, name="pay")
    with pytest.raises(NoApprover):
        asyncio.run(guarded(1)) if body is pay_later else guarded(1)
    assert RAN == []


@pytest.mark.parametrize("approver", [never, never_later])
@pytest.mark.parametrize("body", [pay, pay_later])
def test_nobody_waits_longer_than_the_time_out(tmp_path: Path, body: Any, approver: Any) -> None:
    guarded = approvals.cop(tmp_path, approver, approvals=SHORT).tool(body, name="pay")
    with pytest.raises(ApprovalExpired):
        asyncio.run(guarded(1)) if body is pay_later else guarded(1)
    assert RAN == []


def test_a_yes_that_comes_too_late_runs_nothing(tmp_path: Path, agentcop_home: Path) -> None:
    steered = approvals.Steered()
    with pytest.raises(ApprovalExpired):
        approvals.cop(tmp_path, steered, approvals=SHORT).tool(pay)(1)
    steered.go.set()
    steered.threads[0].join(10)
    assert not steered.threads[0].is_alive()
    assert RAN == []
    assert outcomes(agentcop_home) == ["expired"]


def test_an_approver_that_swallows_its_cancellation_cannot_hold_the_call(tmp_path: Path) -> None:
    async def stubborn(call: ToolCall, deadline: float) -> Approve:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
        return Approve()

    guarded = approvals.cop(tmp_path, stubborn, approvals=SHORT).tool(pay_later, name="pay")
    with pytest.raises(ApprovalExpired):
        asyncio.run(guarded(1))
    assert RAN == []


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


# --- who may be asked


def test_observing_never_waits(tmp_path: Path) -> None:
    assert approvals.cop(tmp_path, never, mode="observe").tool(pay)(1) == "paid"


def test_in_production_the_callback_counts_and_the_start_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    guard = approvals.cop(tmp_path, yes, environment="production")
    assert "could approve itself" in caplog.text
    assert guard.tool(pay)(1) == "paid"


def test_in_production_the_terminal_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*args: object) -> None:
        pytest.fail("the terminal was opened")

    monkeypatch.setattr("agentcop_control.terminal._asked", asked)
    guard = approvals.cop(tmp_path, environment="production", approvals="{local: true}")
    with pytest.raises(NoApprover, match="production"):
        guard.tool(pay)(1)


def test_an_approver_cannot_wait_for_an_approval_itself(tmp_path: Path) -> None:
    found: list[type] = []

    def approver(call: ToolCall, deadline: float) -> Approve:
        try:
            guarded(2)
        except ToolBlocked as refused:
            found.append(type(refused))
        return Approve()

    guarded = approvals.cop(tmp_path, approver).tool(pay)
    guarded(1)
    assert (found, RAN) == ([NoApprover], [1])


def test_the_log_says_who_the_policy_wanted_to_be_asked(tmp_path: Path, agentcop_home: Path) -> None:
    approvals.cop(tmp_path, yes, approvals="{approvers: [ann, bob]}").tool(pay)(1)
    assert gatefile.lines(agentcop_home, "outcome")[0]["approvers"] == ["ann", "bob"]


def test_two_cops_that_both_ask_need_two_answers(tmp_path: Path) -> None:
    asked: list[str] = []

    def named(name: str, answer: Any) -> Callable[[ToolCall, float], Any]:
        def approver(call: ToolCall, deadline: float) -> Any:
            asked.append(name)
            return answer

        return approver

    one = approvals.cop(tmp_path, named("one", Approve()))
    two = approvals.cop(tmp_path, named("two", Deny()))
    with pytest.raises(ApprovalDenied):
        two.tool(one.tool(pay))(1)
    assert (asked, RAN) == (["one", "two"], [])


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


def test_an_approver_must_be_callable() -> None:
    with pytest.raises(TypeError, match="approver"):
        AgentCop(agent_id="a", policy=GatePolicy(allow=["x"]), approver="ann")  # type: ignore[arg-type]  # the point


def test_the_ledger_keeps_nothing_open(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    for approver in (yes, no, never, None):
        guarded = approvals.cop(tmp_path, approver, approvals=SHORT).tool(pay)
        with contextlib.suppress(ToolBlocked):
            guarded(1)
    assert LEDGER.pending() == ()


def test_nothing_of_asking_is_loaded_before_there_is_something_to_ask() -> None:
    program = """
import sys
from agentcop import AgentCop, GatePolicy
AgentCop(agent_id="a", policy=GatePolicy(allow=["f"])).tool(lambda: None, name="f")()
print([name for name in ("asyncio", "agentcop_control.asking", "agentcop_control.terminal") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
