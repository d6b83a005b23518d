"""Tool calls in real boxes, as an application makes them: what its callers see, and what the host does not."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import boxed_tools
from agentcop import (
    AgentCop,
    Approve,
    ResultTooLarge,
    ResultUnsendable,
    SandboxCrashed,
    SandboxError,
    SandboxRefused,
    SandboxTimeout,
)
from boxes import Engine, engine, mode, nothing_is_left, use
from exporting import until
from gatefile import lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop import ToolCall
    from agentcop_control.approval import Approver

__all__ = ["engine", "nothing_is_left"]

pytestmark = pytest.mark.sandbox

NO_PID = 0


@pytest.fixture
def cop(engine: Engine, tmp_path: Path) -> AgentCop:
    return made(tmp_path, engine, "network: none")


def made(folder: Path, engine: Engine, more: str = "", tools: str = "['*']") -> AgentCop:
    file = folder / "policy.yaml"
    gate = "agent_id: boxed\ngate: {default: allow, block: [never]}\n"
    text = f"{gate}sandbox:\n  mode: {mode(engine)}\n  tools: {tools}\n"
    file.write_text(text + "".join(f"  {line}\n" for line in more.splitlines()), encoding="utf-8")
    return AgentCop(policy_file=file)


def tool(cop: AgentCop, function: Callable[..., Any]) -> Callable[..., Any]:
    guarded: Callable[..., Any] = cop.tool(function)
    return guarded


def test_a_tool_runs_in_the_box_and_its_caller_gets_its_result(cop: AgentCop) -> None:
    result = tool(cop, boxed_tools.where)(text="hello")
    assert result["text"] == "hello"
    assert (result["uid"], result["home"]) == (65534, "/tmp")
    assert result["pid"] < 100, "it has the pid of a box, where few processes ever ran"


def test_an_async_tool_is_awaited_while_the_loop_goes_on(cop: AgentCop) -> None:
    ticks = 0

    async def both() -> str:
        nonlocal ticks
        call = asyncio.ensure_future(tool(cop, boxed_tools.later)("x"))
        while not call.done():
            ticks += 1
            await asyncio.sleep(0.001)
        return str(await call)

    answer = asyncio.run(both())
    assert answer.startswith("x in ")
    assert answer != f"x in {os.getpid()}"
    assert ticks > 3


@pytest.mark.parametrize("kind", ["tuple", "set", "bytes", "deep"])
def test_results_come_back_as_they_were(cop: AgentCop, kind: str) -> None:
    assert tool(cop, boxed_tools.give)(kind) == boxed_tools.give(kind)


def test_results_that_cannot_come_back_are_errors_and_no_other_values(cop: AgentCop) -> None:
    give = tool(cop, boxed_tools.give)
    with pytest.raises(ResultUnsendable, match="object"):
        give("object")
    with pytest.raises(ResultTooLarge, match="max_result"):
        give("large")


def test_an_exception_comes_back_by_its_own_type(cop: AgentCop) -> None:
    order = tool(cop, boxed_tools.order)
    with pytest.raises(ValueError, match="-1") as builtin:
        order(-1)
    assert builtin.value.args == (-1,)
    with pytest.raises(boxed_tools.OutOfStock) as own:
        order(7)
    assert own.value.args == ("only 3 left", 7)
    assert order(2) == 2


STEERING = ["end", "async end", "cancelled", "cancelled future", "closed", "exit", "interrupt"]


@pytest.mark.parametrize("kind", STEERING)
def test_a_tool_cannot_end_cancel_or_hang_the_task_that_awaits_it(cop: AgentCop, kind: str) -> None:
    async def caller() -> BaseException | None:
        task: asyncio.Future[None] = asyncio.ensure_future(tool(cop, boxed_tools.steer)(kind))
        done, _ = await asyncio.wait({task}, timeout=60)
        assert done, "it waits for ever"
        assert not task.cancelled()
        return task.exception()

    raised = asyncio.run(caller())
    assert isinstance(raised, SandboxError | RuntimeError)


def test_an_exception_says_which_file_and_where_in_the_tool(cop: AgentCop) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        tool(cop, boxed_tools.read)("/no/such/file")
    assert missing.value.filename == "/no/such/file"
    assert any("boxed_tools.py" in note and "read_text" in note for note in missing.value.__notes__)


def test_what_a_tool_writes_stays_in_the_box(cop: AgentCop, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(OSError, match=r"mark|denied|No such|Read-only"):
        tool(cop, boxed_tools.touch)(str(mark))
    assert not mark.exists()


def test_a_tool_that_will_not_end_is_killed_with_all_that_it_started(engine: Engine, tmp_path: Path) -> None:
    cop = made(tmp_path, engine, "network: none\ntimeout: 1")
    mark = f"mark-{os.urandom(8).hex()}"
    with pytest.raises(SandboxTimeout, match="timeout"):
        tool(cop, boxed_tools.hang)(mark)
    until(lambda: not running(mark))


def running(mark: str) -> list[str]:
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in each.read_bytes():
                found.append(each.parent.name)
        except OSError:
            continue
    return found


def test_a_tool_that_kills_itself_has_crashed(cop: AgentCop) -> None:
    with pytest.raises(SandboxCrashed):
        tool(cop, os._exit)(3)


def test_what_a_policy_blocks_never_reaches_a_box(cop: AgentCop, agentcop_home: Path) -> None:
    with pytest.raises(Exception, match=r"never") as refused:
        cop.tool(boxed_tools.where, name="never")()
    assert not isinstance(refused.value, SandboxRefused)


def test_a_tool_that_the_policy_leaves_out_runs_here(engine: Engine, tmp_path: Path) -> None:
    cop = made(tmp_path, engine, tools="['later']")
    assert tool(cop, boxed_tools.where)()["pid"] == os.getpid()


def test_a_closure_is_refused_with_the_way_out_and_does_not_run(cop: AgentCop) -> None:
    ran: list[int] = []

    def closure(x: int) -> int:
        ran.append(x)
        return x

    with pytest.raises(SandboxRefused, match="Way out"):
        tool(cop, closure)(1)
    assert ran == []
    assert cop.counts() == {"blocked": 1}


def test_decision_and_outcome_of_a_boxed_call_stand_in_the_log(
    cop: AgentCop, engine: Engine, agentcop_home: Path
) -> None:
    tool(cop, boxed_tools.where)("x")
    decision, outcome = lines(agentcop_home)[-2:]
    assert (decision["verdict"], outcome["outcome"]) == ("allow", "ok")
    assert (outcome["sandbox_mode"], outcome["sandbox_engine"]) == (mode(engine), engine)
    assert "sandbox_fallback" not in outcome


def asking(folder: Path, engine: Engine, approver: Approver) -> AgentCop:
    file = folder / "policy.yaml"
    text = f"agent_id: boxed\ngate: {{require_approval: ['*']}}\nsandbox: {{mode: {mode(engine)}, network: none}}\n"
    file.write_text(text, encoding="utf-8")
    return AgentCop(policy_file=file, approver=approver)


def test_a_call_that_a_person_let_pass_runs_in_the_box(engine: Engine, tmp_path: Path) -> None:
    cop = asking(tmp_path, engine, lambda call, deadline: Approve(by="kim"))
    assert tool(cop, boxed_tools.where)("x")["uid"] == 65534
    assert cop.counts() == {"approved": 1, "decided_by_seam": 1} or cop.counts() == {"approved": 1}


def test_nobody_is_asked_about_a_call_that_cannot_run_in_a_box(engine: Engine, tmp_path: Path) -> None:
    asked: list[object] = []

    def approver(call: ToolCall, deadline: float) -> Approve:
        asked.append(call)
        return Approve()

    cop = asking(tmp_path, engine, approver)
    with pytest.raises(SandboxRefused):
        tool(cop, lambda: tmp_path)()
    assert asked == []


def test_an_async_caller_that_gives_up_has_the_box_killed(engine: Engine, tmp_path: Path) -> None:
    mark = f"mark-{os.urandom(8).hex()}"
    hang = tool(made(tmp_path, engine, "network: none"), boxed_tools.hang_async)

    async def give_up() -> None:
        call = asyncio.ensure_future(hang(mark))
        while not running(mark):  # noqa: ASYNC110 -- a process of another namespace tells no event
            await asyncio.sleep(0.02)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(give_up())
    until(lambda: not running(mark))


def test_long_output_is_cut_and_said(cop: AgentCop, caplog: pytest.LogCaptureFixture) -> None:
    assert tool(cop, boxed_tools.write)("y" * 1_000, 200) == "written"
    assert "bytes more than sandbox.max_stdout keeps" in caplog.text


def test_the_second_call_finds_a_warm_box_and_neither_sees_the_other(cop: AgentCop) -> None:
    where = tool(cop, boxed_tools.where)
    assert [where(str(number))["text"] for number in range(5)] == list("01234")


@pytest.mark.parametrize("name", ["docker"])
def test_without_an_engine_the_refusal_says_what_to_install(
    name: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(name, monkeypatch)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    cop = made(tmp_path, name, "image: agentcop/no-such-image:1")
    with pytest.raises(SandboxRefused) as refused:
        tool(cop, boxed_tools.where)()
    assert "bubblewrap" in refused.value.reason or "sandbox build" in refused.value.reason
