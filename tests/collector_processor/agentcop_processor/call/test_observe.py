"""`mode: observe`: everything is judged, logged and told of, and nothing is held up, whatever the gate meets."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

import gatefile
from agentcop import AgentCop, PolicyBlocked
from agentcop_core import canonical
from agentcop_processor.call import seam, slot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def tool(value: Any = None) -> str:
    RAN.append(value)
    return "ran"


def observing(folder: Path, gate: str = "allow: [other]", *, rest: str = "") -> AgentCop:
    path = folder / "observe.yaml"
    path.write_text(f"agent_id: watched\nmode: observe\ngate: {{{gate}}}\n{rest}", encoding="utf-8")
    return AgentCop(policy_file=path)


def would_block(home: Path) -> list[str]:
    lines = gatefile.lines(home, "decision")
    return [line["rule"] for line in lines if line["verdict"] == "block" and line["mode"] == "observe"]


def test_a_call_that_a_rule_blocks_runs_and_the_log_says_what_it_would_have_got(
    tmp_path: Path, agentcop_home: Path
) -> None:
    guard = observing(tmp_path, "block: [tool], default: allow")
    assert guard.tool(tool)(1) == "ran"
    assert would_block(agentcop_home) == ["gate.block[0]"]
    assert guard.counts() == {"observed": 1}


def test_nobody_is_waited_for_where_a_person_would_be_asked(tmp_path: Path, agentcop_home: Path) -> None:
    asked: list[object] = []
    path = tmp_path / "observe.yaml"
    path.write_text("agent_id: a\nmode: observe\ngate: {require_approval: [tool]}\n", encoding="utf-8")
    guard = AgentCop(policy_file=path, approver=lambda call, deadline: asked.append(call))  # type: ignore[arg-type, return-value]  # is never asked
    assert guard.tool(tool)(1) == "ran"
    assert asked == []
    (line,) = gatefile.lines(agentcop_home, "decision")
    assert (line["verdict"], line["mode"]) == ("require_approval", "observe")


def _fault(*args: object, **kwargs: object) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize("place", [(seam, "frozen_call"), (seam, "Slot"), (slot, "verdict_of"), (seam, "_judged")])
def test_a_fault_of_the_gate_lets_the_call_run_and_is_on_record(
    place: tuple[Any, str], tmp_path: Path, agentcop_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = observing(tmp_path)
    monkeypatch.setattr(*place, _fault)
    assert guard.tool(tool)("x") == "ran"
    assert RAN == ["x"]
    assert would_block(agentcop_home) == ["gate.error"]
    assert guard.counts()["observed"] == 1


def test_a_fault_of_the_gate_blocks_where_another_cop_enforces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "enforce.yaml"
    path.write_text("agent_id: strictly\ngate: {allow: [tool]}\n", encoding="utf-8")
    guarded = observing(tmp_path).tool(AgentCop(policy_file=path).tool(tool))
    monkeypatch.setattr(seam, "frozen_call", _fault)
    with pytest.raises(PolicyBlocked) as error:
        guarded(1)
    assert error.value.rule == "gate.error"
    assert RAN == []


@pytest.mark.parametrize("value", ["x" * 2_000_000, "\ud800"], ids=["big", "half a character"])
def test_arguments_that_cannot_be_judged_run_as_they_are(value: str, tmp_path: Path, agentcop_home: Path) -> None:
    assert observing(tmp_path).tool(tool)(value) == "ran"
    assert [value] == RAN
    assert would_block(agentcop_home) == ["gate.arguments"]


def test_a_live_object_that_a_condition_reads_stops_nothing(tmp_path: Path, agentcop_home: Path) -> None:
    guard = observing(tmp_path, "block: [{tool: tool, when: 'args.value == 1'}], default: allow")
    assert guard.tool(tool)(threading.Lock()) == "ran"
    assert would_block(agentcop_home) == ["gate.block[0]"]


def test_arguments_changed_after_the_verdict_run_and_are_on_record(tmp_path: Path, agentcop_home: Path) -> None:
    guard = observing(tmp_path)
    passage = seam.admit("tool", {"value": {"path": "a"}}, (guard._gate,))  # noqa: SLF001 -- tested below its face
    assert passage is not None
    passage.call.arguments.values["value"]["path"] = "b"  # type: ignore[index]  # the attack
    assert passage.enter() == {"value": {"path": "b"}}
    passage.returned("ran")
    assert "gate.digest" in would_block(agentcop_home)


def test_a_log_that_cannot_be_written_stops_nothing_and_is_said(
    tmp_path: Path, agentcop_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    guard = observing(tmp_path)
    (agentcop_home / "gate.log").mkdir()
    assert guard.tool(tool)(1) == "ran"
    assert guard.counts()["log_failures"] >= 1
    assert "gate.log cannot be written" in caplog.text


def test_a_broken_span_pipeline_under_strict_stops_nothing(
    tmp_path: Path, agentcop_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert observing(tmp_path, "allow: [tool], strict: true").tool(tool)(1) == "ran"
    assert would_block(agentcop_home) == ["gate.strict"]


def test_a_strict_cop_that_observes_lets_calls_pass_that_nobody_governs(tmp_path: Path) -> None:
    guard = observing(tmp_path, "allow: [tool], strict: true")
    assert seam.admit("nobodys", {}, ()) is None
    assert guard.counts() == {"ungoverned": 1}


def test_refusals_that_were_only_observed_halt_no_run(tmp_path: Path) -> None:
    class Agent:
        def __init__(self) -> None:
            self.tools: dict[str, Callable[..., str]] = {"tool": tool}

        def run(self) -> list[str]:
            return [self.tools["tool"](number) for number in range(9)]

    assert observing(tmp_path, "allow: [other], max_refusals: 2").wrap(Agent()).run() == ["ran"] * 9


def test_memory_that_runs_out_while_arguments_are_copied_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    guard = observing(tmp_path)

    def exhausted(*args: object, **kwargs: object) -> None:
        raise MemoryError

    monkeypatch.setattr(canonical.frozen, "_quickly", exhausted)
    with caplog.at_level(logging.CRITICAL):
        assert guard.tool(tool)(1) == "ran"
