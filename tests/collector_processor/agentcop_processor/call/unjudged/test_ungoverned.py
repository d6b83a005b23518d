"""A call that no policy governs runs, and that is counted, logged and shown."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import gatefile
from agentcop import AgentCop, GatePolicy, PolicyBlocked
from agentcop.cli import main
from agentcop_processor.call.seam import admit
from agentcop_processor.call.unjudged import ungoverned

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _none_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = ungoverned._Passed()  # noqa: SLF001 -- what the process counted before this test
    fresh.said_at_exit = True
    monkeypatch.setattr(ungoverned, "_passed", fresh)


def cop(**gate: object) -> AgentCop:
    return AgentCop(agent_id="a", policy=GatePolicy(allow=["tool"], **gate))  # type: ignore[arg-type]  # gate's own keys


def test_each_call_is_counted_and_a_tools_first_is_logged(
    agentcop_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    guard = cop()
    for tool in ("stray", "other", "stray", "stray"):
        assert admit(tool, {"password": "hunter2"}, ()) is None
    assert guard.counts() == {"ungoverned": 4}
    assert ungoverned.ungoverned_calls() == 4
    assert ungoverned.ungoverned_tools() == {"stray": 3, "other": 1}
    assert [text.split()[1] for text in caplog.messages if "ran outside any policy" in text] == ["stray", "other"]
    lines = gatefile.lines(agentcop_home, "decision")
    assert [(line["tool"], line["rule"], line["decided_by"]) for line in lines] == [
        ("stray", "ungoverned", "none"),
        ("other", "ungoverned", "none"),
    ]


def test_a_person_sees_it_in_the_log(agentcop_home: Path) -> None:
    guard = cop()
    admit("stray", {}, ())
    shown = CliRunner().invoke(main, ["gate", "log", "--home", str(agentcop_home)]).output
    (line,) = [line for line in shown.splitlines() if "stray" in line]
    assert "  ungoverned  " in line
    assert "nobody judged it" in line
    assert guard.counts() == {"ungoverned": 1}


def test_two_cops_of_one_state_folder_write_one_line(agentcop_home: Path) -> None:
    cops = cop(), cop()
    admit("stray", {}, ())
    assert [guard.counts() for guard in cops] == [{"ungoverned": 1}] * 2
    assert len(gatefile.lines(agentcop_home, "decision")) == 1


def test_names_from_outside_do_not_grow_the_count_without_bound(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        for number in range(1_100):
            admit(f"tool{number}", {}, ())
    assert ungoverned.ungoverned_calls() == 1_100
    assert len(ungoverned.ungoverned_tools()) == 1_001


def test_a_strict_cop_refuses_it_and_says_so_in_its_log(agentcop_home: Path) -> None:
    guard = cop(strict=True)
    with pytest.raises(PolicyBlocked) as refused:
        admit("stray", {}, ())
    assert refused.value.rule == "gate.strict"
    assert guard.counts() == {"blocked": 1}
    (line,) = gatefile.lines(agentcop_home, "decision")
    assert (line["verdict"], line["rule"], line["decided_by"]) == ("block", "gate.strict", "none")


def test_a_process_says_at_its_end_how_many_calls_nobody_judged(agentcop_home: Path) -> None:
    program = (
        "from agentcop_processor.call.seam import admit\n"
        "for tool in ('stray', 'stray', 'other'):\n"
        "    admit(tool, {}, ())\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "3 calls of this process ran outside any policy: stray (2), other (1)" in ended.stderr
