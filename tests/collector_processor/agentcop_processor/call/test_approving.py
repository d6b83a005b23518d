"""A held call runs after a yes, and only after a yes, of someone who may be asked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

import approvals
import gatefile
from agentcop import (
    AgentCop,
    ApprovalDenied,
    ApprovalExpired,
    Approve,
    Deny,
    GatePolicy,
    NoApprover,
    ToolBlocked,
    ToolCall,
)
from agentcop_control.ledger import LEDGER
from paying import RAN, SHORT, never, never_later, no, outcomes, pay, pay_later, yes, yes_later

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_ran() -> Iterator[None]:
    RAN.clear()
    yield
    assert LEDGER.pending() == ()


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
    steered.threads[0].join(60)
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
