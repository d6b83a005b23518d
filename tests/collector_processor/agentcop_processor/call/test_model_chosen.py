"""What a model chooses beside the arguments, its id, neither hides the call nor carries a secret into the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from agentcop_core.names import MAX_NAME
from agentcop_processor.call.seam import admit

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_processor.call.passage import Passage
    from agentcop_processor.gate import Gate


def gate_of(**gate: object) -> Gate:
    """The gate behind a cop, which its user never sees."""
    return AgentCop(agent_id="a", policy=GatePolicy(allow=["tool"], **gate))._gate  # type: ignore[arg-type]  # noqa: SLF001 -- gate's own keys; as above


def run(gate: Gate, call_id: str) -> None:
    passage: Passage | None = admit("tool", {}, (gate,), call_id=call_id)
    assert passage is not None
    passage.enter()
    passage.returned(None)


@pytest.mark.parametrize("log_failure", ["block", "allow"])
def test_an_id_longer_than_a_line_of_the_log_does_not_hide_its_call(agentcop_home: Path, log_failure: str) -> None:
    gate = gate_of(log_failure=log_failure)
    run(gate, "x" * 3_000_000)
    decision, outcome = gatefile.lines(agentcop_home, "decision") + gatefile.lines(agentcop_home, "outcome")
    assert (decision["verdict"], decision["call"]) == ("allow", outcome["call"])
    assert len(decision["call"]) <= MAX_NAME
    assert "log_failures" not in gate.counts()


def test_two_long_ids_stay_apart(agentcop_home: Path) -> None:
    gate = gate_of()
    run(gate, "x" * 300)
    run(gate, "x" * 301)
    one, other = gatefile.lines(agentcop_home, "decision")
    assert one["call"] != other["call"]


def test_a_secret_in_an_id_is_redacted(agentcop_home: Path) -> None:
    run(gate_of(), "call-AKIAABCDEFGHIJKLMNOP")
    assert "AKIAABCDEFGHIJKLMNOP" not in (agentcop_home / "gate.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("call_id", ["\ud800", "a\x1b[31mb\u202e", "\0"])
def test_an_id_that_no_outlet_can_show_is_made_one_that_can(agentcop_home: Path, call_id: str) -> None:
    run(gate_of(), call_id)
    (decision,) = gatefile.lines(agentcop_home, "decision")
    assert decision["call"].isprintable()
    assert decision["call"].encode()


def test_an_ordinary_id_stays_as_it_is(agentcop_home: Path) -> None:
    run(gate_of(), "call_9pQ-x.1")
    assert gatefile.lines(agentcop_home, "decision")[0]["call"] == "call_9pQ-x.1"


def test_the_name_of_an_argument_does_not_hide_a_refused_call(agentcop_home: Path) -> None:
    name = f"{agentcop_home}/" + "x/" * 500_000
    with pytest.raises(PolicyBlocked) as refused:
        admit("tool", {name[:1_000_000]: name[:4_000], "b": str(agentcop_home)}, (gate_of(),))
    assert refused.value.rule == "gate.protected"
    assert len(refused.value.reason) < 1_000
    (decision,) = gatefile.lines(agentcop_home, "decision")
    assert (decision["verdict"], decision["rule"]) == ("block", "gate.protected")
