"""A failure of the gate's own is a block with a reason or an unharmed call: never a crash, never a silent pass."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked, ToolBlocked
from agentcop_processor.call import seam, slot
from agentcop_processor.call.unjudged import faults
from agentcop_processor.gatelog.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def tool(value: Any = None) -> str:
    RAN.append(value)
    return "ran"


def cop(**gate: Any) -> AgentCop:
    return AgentCop(agent_id="a", policy=GatePolicy(**{"allow": ["tool"], **gate}))


def refused(call: Callable[..., object], *arguments: object) -> str:
    before = len(RAN)
    with pytest.raises(PolicyBlocked) as error:
        call(*arguments)
    assert len(RAN) == before
    assert error.value.reason
    return error.value.rule


def raising(error: type[BaseException]) -> Callable[..., Any]:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", [MemoryError, RecursionError, ValueError, OSError])
@pytest.mark.parametrize(
    "place", [(seam, "frozen_call"), (seam, "Slot"), (slot, "verdict_of"), (seam, "decision_line")]
)
def test_any_error_anywhere_before_the_verdict_blocks(
    place: tuple[Any, str], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded = cop().tool(tool)
    monkeypatch.setattr(*place, raising(error))
    assert refused(guarded, 1) == "gate.error"
    monkeypatch.undo()
    assert guarded(2) == "ran", "the next call is unharmed"


@pytest.mark.parametrize("part", ["seated", "own_verdict", "_record", "canonical_name", "_log"])
def test_a_second_error_while_the_first_is_dealt_with_blocks_too(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = cop().tool(tool)
    monkeypatch.setattr(seam, "frozen_call", raising(MemoryError))
    monkeypatch.setattr(faults, part, raising(MemoryError))
    assert refused(guarded, 1) == "gate.error"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("place", [(seam, "frozen_call"), (slot, "verdict_of"), (seam, "decision_line")])
def test_an_interrupt_while_judging_reaches_the_caller_and_nothing_runs(
    place: tuple[Any, str], error: type[BaseException], agentcop_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded = cop().tool(tool)
    monkeypatch.setattr(*place, raising(error))
    with pytest.raises(error):
        guarded(1)
    assert RAN == []
    monkeypatch.undo()
    assert guarded(2) == "ran"
    assert verify(agentcop_home).breaks == ()


def test_a_stack_with_no_room_left_is_a_block_or_pythons_own_error_and_nothing_runs() -> None:
    guarded = cop(default="block").tool(tool, name="unlisted")
    guarded_too = cop().tool(tool)

    def deeper(left: int) -> None:
        if left:
            deeper(left - 1)
            return
        with pytest.raises((ToolBlocked, RecursionError)):
            guarded("blocked")

    limit, depth = sys.getrecursionlimit(), len(_frames())
    for room in range(1, 60):
        try:
            deeper(limit - depth - room)
        except RecursionError:
            continue
    assert RAN == []
    assert guarded_too("later") == "ran"


def _frames() -> list[object]:
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 -- how deep the stack is
    found: list[object] = []
    while frame:
        found.append(frame)
        frame = frame.f_back
    return found


def test_memory_that_really_runs_out_while_arguments_are_copied_is_a_block() -> None:
    program = """
import resource, sys
from agentcop import AgentCop, GatePolicy, PolicyBlocked
ran = []
cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["tool"], max_argument="900MB"), monitor=False)
guarded = cop.tool(lambda value: ran.append(1), name="tool")
guarded(["small"])
value = ["x" * 1_000_000 + str(number) for number in range(150)]
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 200_000_000, resource.RLIM_INFINITY))
try:
    guarded(value)
except PolicyBlocked as blocked:
    print("blocked", blocked.rule)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
value = None
guarded(["small"])
print("ran", len(ran))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    first, second = ended.stdout.splitlines()
    assert first in ("blocked gate.arguments", "blocked gate.error", "blocked gate.log_failure"), ended
    assert second == "ran 2"


def test_a_thousand_threads_each_get_their_verdict(agentcop_home: Path) -> None:
    guard = cop()
    allowed, blocked = guard.tool(tool), guard.tool(tool, name="unlisted")
    ready = threading.Event()
    results: list[object] = []

    def work(number: int) -> None:
        ready.wait(60)
        try:
            results.append((allowed if number % 2 else blocked)(number))
        except PolicyBlocked as error:
            results.append(error.rule)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1_000)]
    for thread in threads:
        thread.start()
    ready.set()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["gate.default"] * 500 + ["ran"] * 500
    assert sorted(RAN) == list(range(1, 1_000, 2))
    assert guard.counts() == {"allowed": 500, "blocked": 500}
    assert verify(agentcop_home).breaks == ()
    assert len(gatefile.lines(agentcop_home, "decision")) == 1_000


def test_a_state_folder_that_is_gone_is_made_again_and_the_break_is_seen(agentcop_home: Path) -> None:
    guarded = cop().tool(tool)
    assert guarded(1) == "ran"
    shutil.rmtree(agentcop_home)
    end = time.monotonic() + 30
    while not (agentcop_home / "gate.log").exists():  # a writer looks about once a second
        assert guarded(2) == "ran"
        assert time.monotonic() < end
    assert verify(agentcop_home).breaks, "what was written to the file that is gone is missing, and that is said"


def test_something_else_in_the_state_folders_place_blocks(agentcop_home: Path) -> None:
    guard = cop()
    shutil.rmtree(agentcop_home)
    agentcop_home.write_text("a file")
    assert refused(guard.tool(tool), 1) == "gate.log_failure"
    agentcop_home.unlink()
    assert guard.tool(tool)(2) == "ran"


def test_a_full_disk_blocks_and_one_with_room_again_heals(agentcop_home: Path) -> None:
    guarded = cop().tool(tool)
    assert guarded(1) == "ran"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((agentcop_home / "gate.log").stat().st_size + 10, before[1]))
    try:
        assert [refused(guarded, number) for number in range(3)] == ["gate.log_failure"] * 3
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert guarded(2) == "ran"
    assert verify(agentcop_home).breaks == ()


_CLOCKS = [0.0, -1e12, 1e12, 1e300, float("inf"), float("nan"), 4e9]


@pytest.mark.parametrize("at", _CLOCKS)
def test_a_clock_that_jumps_changes_no_verdict_and_breaks_no_chain(
    at: float, agentcop_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = cop(allow=["tool", {"tool": "late", "when": "now > timestamp('2020-01-01T00:00:00Z')"}])
    allowed, blocked = guard.tool(tool), guard.tool(tool, name="unlisted")
    assert allowed(1) == "ran"
    monkeypatch.setattr(time, "time", lambda: at)
    log = guard._gate.pipeline.log  # noqa: SLF001 -- its clock is an argument, taken at its making
    monkeypatch.setattr(log._stamp, "_now", lambda: at)  # noqa: SLF001 -- as above
    assert allowed(2) == "ran"
    assert refused(blocked, 3) == "gate.default"
    guard.tool(tool, name="late")(4) if at == 4e9 else refused(guard.tool(tool, name="late"), 4)
    monkeypatch.undo()
    assert allowed(5) == "ran"
    assert verify(agentcop_home).breaks == ()


def test_sigterm_in_the_middle_of_many_calls_leaves_a_sound_log_and_no_body_without_its_line(
    agentcop_home: Path,
) -> None:
    program = """
import sys
from agentcop import AgentCop, GatePolicy
cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["tool"]), monitor=False)
def tool(number):
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
guarded = cop.tool(tool)
number = 0
while True:
    guarded(number)
    number += 1
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(200):
            assert process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        ran = 200 + len(process.stdout.read().splitlines())
    assert process.returncode == -signal.SIGTERM
    assert verify(agentcop_home).breaks == ()
    assert len(gatefile.lines(agentcop_home, "decision")) >= ran


def test_ctrl_c_at_any_moment_leaves_the_gate_whole(agentcop_home: Path) -> None:
    program = """
import signal, sys, threading, time, os
from agentcop import AgentCop, GatePolicy, ToolBlocked
cop = AgentCop(agent_id="a", policy=GatePolicy(allow=["tool"]), monitor=False)
def tool(number):
    pass
allowed, blocked = cop.tool(tool), cop.tool(tool, name="unlisted")
armed = False
def interrupt(number, frame):
    global armed
    if armed:
        armed = False
        raise KeyboardInterrupt
signal.signal(signal.SIGINT, interrupt)
stop = threading.Event()
def press():
    while not stop.is_set():
        time.sleep(0.002)
        os.kill(os.getpid(), signal.SIGINT)
pressing = threading.Thread(target=press)
interrupted = passed = 0
pressing.start()
end = time.monotonic() + 4
while time.monotonic() < end:
    try:
        armed = True
        allowed(1)
        try:
            blocked(2)
        except ToolBlocked:
            passed += 1
        else:
            print("A BLOCKED CALL RAN")
        armed = False
    except KeyboardInterrupt:
        interrupted += 1
stop.set()
pressing.join()
allowed(3)
print("interrupted", interrupted > 0, "passed", passed > 0)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert ended.stdout == "interrupted True passed True\n", ended
    assert verify(agentcop_home).breaks == ()
