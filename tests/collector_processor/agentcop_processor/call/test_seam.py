"""The gate's own faults: each ends as a block with a reason, and the body does not run."""

from __future__ import annotations

import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from agentcop._seams.wrapping.shapes import shaped
from agentcop_processor import judges
from agentcop_processor.call import seam
from agentcop_processor.call.passage import Passage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentcop_processor.gate import Gate

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def tool(value: Any = None) -> str:
    RAN.append(value)
    return "ran"


def cop(**gate: Any) -> AgentCop:
    return AgentCop(agent_id="a", policy=GatePolicy(**{"allow": ["tool"], **gate}))


def gate_of(guard: AgentCop) -> Gate:
    """The gate behind a cop, which its user never sees."""
    return guard._gate  # noqa: SLF001 -- the processor is tested below its face


def refused(guard: AgentCop, value: object) -> str:
    with pytest.raises(PolicyBlocked) as error:
        guard.tool(tool)(value)
    assert RAN == []
    return error.value.rule


def _cycle() -> list[object]:
    circle: list[object] = []
    circle.append(circle)
    return circle


def _bomb() -> list[object]:
    bomb: list[object] = ["x" * 100]
    for _ in range(40):
        bomb = [bomb, bomb]
    return bomb


@pytest.mark.parametrize(
    "value",
    ["x" * 2_000_000, _cycle(), _bomb(), "\ud800", {"k": "\udfff"}],
    ids=["big", "cycle", "bomb", "half", "key"],
)
def test_arguments_that_cannot_be_judged_are_refused(value: object, agentcop_home: Path) -> None:
    assert refused(cop(), value) == "gate.arguments"
    (decision,) = gatefile.lines(agentcop_home, "decision")
    assert decision["verdict"] == "block"


def test_what_runs_is_the_copy_that_was_judged() -> None:
    shared = {"amount": 1}
    started, changed = threading.Event(), threading.Event()

    def slow(order: dict[str, int]) -> int:
        started.set()
        changed.wait(60)
        return order["amount"]

    def change() -> None:
        started.wait(60)
        shared["amount"] = 1_000
        changed.set()

    changer = threading.Thread(target=change)
    changer.start()
    assert cop(allow=["slow"]).tool(slow)(shared) == 1
    changer.join()


def test_an_argument_changed_between_verdict_and_body_is_a_block(agentcop_home: Path) -> None:
    guard = cop()
    passage = seam.admit("tool", {"value": {"path": "/tmp/ok"}}, (gate_of(guard),))
    assert passage is not None
    passage.call.arguments.values["value"]["path"] = "/etc/shadow"  # type: ignore[index]  # the attack
    with pytest.raises(PolicyBlocked) as error:
        passage.enter()
    assert error.value.rule == "gate.digest"
    assert [line["outcome"] for line in gatefile.lines(agentcop_home, "outcome")] == ["changed"]


def test_a_call_that_a_signal_ended_before_its_body_lends_its_verdict_to_none(
    agentcop_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Tool:
        """Called by two methods, one through the other."""

    tool, gate = Tool(), gate_of(cop(allow=["tool"]))

    def begin(way: str) -> Passage:
        passage = seam.admit("tool", {"value": 1}, (gate,), owner=tool, way=way)
        assert isinstance(passage, Passage)
        passage.enter()
        return passage

    ran: list[str] = []

    def agent() -> None:
        with pytest.raises(KeyboardInterrupt):
            shaped(lambda: ran.append("first"), lambda args, kwargs: _interrupted(begin("invoke")))()
        shaped(lambda: ran.append("second"), lambda args, kwargs: (begin("run"), args, kwargs))()

    copy_context().run(agent)
    assert ran == ["second"]
    assert len(gatefile.lines(agentcop_home, "decision")) == 2, "the second call has a decision of its own"


def _interrupted(passage: object) -> NoReturn:
    """As a signal handler that raises where `begin` has done its work and the wrapper has not got it yet."""
    assert passage is not None
    raise KeyboardInterrupt


def test_a_policy_that_raises_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = cop()

    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(gate_of(guard), "decide", broken)
    assert refused(guard, 1) == "gate.error"


def test_a_fault_before_the_verdict_blocks_and_is_logged(agentcop_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RecursionError

    monkeypatch.setattr(seam, "frozen_call", broken)
    assert refused(cop(), 1) == "gate.error"
    (decision,) = gatefile.lines(agentcop_home, "decision")
    assert (decision["tool"], decision["verdict"], decision["rule"]) == ("tool", "block", "gate.error")


def test_a_log_that_cannot_be_written_blocks(agentcop_home: Path, caplog: pytest.LogCaptureFixture) -> None:
    guard = cop()
    (agentcop_home / "gate.log").mkdir()
    assert refused(guard, 1) == "gate.log_failure"
    assert guard.counts()["log_failures"] == 1


def test_a_log_that_cannot_be_written_is_waived_only_by_the_policy(agentcop_home: Path) -> None:
    guard = cop(log_failure="allow")
    (agentcop_home / "gate.log").mkdir()
    assert guard.tool(tool)(1) == "ran"
    assert guard.counts()["log_failures"] >= 1


def test_arguments_that_do_not_fit_are_pythons_error_and_on_record(agentcop_home: Path) -> None:
    guard = cop()
    with pytest.raises(TypeError):
        guard.tool(tool)(1, 2, 3)  # type: ignore[call-arg]  # wrong on purpose
    assert RAN == []
    assert [line["tool"] for line in gatefile.lines(agentcop_home, "invalid")] == ["tool"]
    assert guard.counts() == {"invalid": 1}


@pytest.mark.parametrize("name", ["\uff54\uff4f\uff4f\uff4c", " tool", "to\u200bol"])
def test_a_name_in_disguise_is_judged_by_its_canonical_form(name: str) -> None:
    body = cop(block=["tool"], allow=[], default="allow").tool(tool, name=name)
    with pytest.raises(PolicyBlocked) as error:
        body(1)
    assert error.value.rule == "gate.block[0]"


@pytest.mark.parametrize("name", ["TOOL", "to-ol", "t\u043e\u043el", "<lambda>"])
def test_another_name_is_another_tool_and_gets_the_default(name: str) -> None:
    body = cop().tool(tool, name=name)
    with pytest.raises(PolicyBlocked) as error:
        body(1)
    assert error.value.rule == "gate.default"


def test_the_armed_floor_judges_beside_the_tools_own_cop_and_the_strictest_holds() -> None:
    floor = cop(block=["tool"], allow=[], default="allow")
    judges.set_floor(gate_of(floor))
    try:
        assert refused(cop(), 1) == "gate.block[0]"
    finally:
        judges.set_floor(None)


def test_a_call_that_nobody_governs_runs_unless_a_cop_is_strict() -> None:
    assert seam.admit("stray", {}, ()) is None
    strict = cop(strict=True)
    with pytest.raises(PolicyBlocked, match="strict"):
        seam.admit("stray", {}, ())
    assert strict.counts()["blocked"] == 1


def test_a_tool_on_a_raw_thread_of_a_run_is_still_governed() -> None:
    results: list[object] = []

    class Agent:
        def __init__(self) -> None:
            self.tools = [tool]

        def run(self) -> None:
            def stray() -> None:
                try:
                    results.append(seam.admit("unlisted", {}, ()))
                except PolicyBlocked as error:
                    results.append(error.rule)

            thread = threading.Thread(target=stray)
            thread.start()
            thread.join()

    cop().wrap(Agent()).run()
    assert results == ["gate.default"]


def _observing(folder: Path) -> AgentCop:
    path = folder / "observe.yaml"
    path.write_text("agent_id: b\nmode: observe\ngate:\n  allow: [tool]\n")
    return AgentCop(policy_file=path)


def _switched_off(folder: Path) -> AgentCop:
    path = folder / "off.yaml"
    path.write_text("agent_id: c\ngate:\n  allow: [tool]\n")
    return AgentCop(policy_file=path, gate=False)


@pytest.mark.parametrize("watching", [_observing, _switched_off])
@pytest.mark.parametrize("value", ["x", "\ud800"])
def test_a_cop_that_only_watches_lifts_no_refusal_of_one_that_enforces(
    watching: Callable[[Path], AgentCop], value: str, tmp_path: Path
) -> None:
    guarded = watching(tmp_path).tool(cop(allow=["other"]).tool(tool))
    with pytest.raises(PolicyBlocked):
        guarded(value)
    assert RAN == []


@pytest.mark.parametrize("watching", [_observing, _switched_off])
def test_arguments_that_cannot_be_judged_pass_where_nothing_is_enforced(
    watching: Callable[[Path], AgentCop], tmp_path: Path
) -> None:
    guard = watching(tmp_path)
    assert guard.tool(tool)("\ud800") == "ran"
    assert RAN == ["\ud800"]
    assert guard.counts()["observed"] == 1


def test_a_secret_that_stands_as_an_arguments_name_is_told_to_nobody(agentcop_home: Path) -> None:
    secret = f"ghp_{'a1B2c3D4' * 5}"

    def anything(**values: Any) -> None:
        RAN.append(values)

    with pytest.raises(PolicyBlocked) as error:
        cop(allow=["anything"]).tool(anything)(**{secret: "\ud800"})
    assert "[redacted:github-token]" in str(error.value)
    assert secret not in str(error.value)
    assert secret not in (agentcop_home / "gate.log").read_text()
