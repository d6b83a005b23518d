"""`agentcop doctor` on a real OpenAI Agents SDK: a tool of each kind that runs here, called as the runner calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from agents import tool as tools

from doctored import ask, patient
from processes import POLICY

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.frameworks

KINDS = ["FunctionTool", "CustomTool", "LocalShellTool", "ShellTool", "ApplyPatchTool", "ComputerTool"]
WAYS = [*(kind for kind in KINDS if hasattr(tools, kind)), "Handoff"]


@pytest.mark.parametrize(
    ("mode", "state", "code"), [("", "ENFORCED", 0), ("mode: observe\n", "OBSERVE-ONLY", 1)], ids=["enforce", "observe"]
)
def test_each_kind_of_tool_is_tried_here_and_in_a_child(tmp_path: Path, mode: str, state: str, code: int) -> None:
    answer = ask(patient(tmp_path, mode + POLICY))
    for process in ("this", "child"):
        seams = [seam for seam in answer.seams if seam["framework"] == "openai-agents" and seam["process"] == process]
        assert [(seam["way"], seam["state"]) for seam in seams] == [(way, state) for way in WAYS]
    assert answer.code == code


def test_a_body_that_nobody_holds_is_bypassed(tmp_path: Path) -> None:
    program = patient(tmp_path)
    program.file(
        "lib/sitecustomize.py",
        "import agentcop._seams.tool_calls as install\n"
        "keep = install.hold\n"
        "def hold(owner, *rest, **more):\n"
        "    if owner.__name__ != 'ShellTool':\n"
        "        keep(owner, *rest, **more)\n"
        "install.hold = hold\n",
    )
    answer = ask(program.having(PYTHONPATH="lib"))
    assert answer.code == 1
    ways = {
        (seam["way"], seam["process"]): seam["state"] for seam in answer.seams if seam["framework"] == "openai-agents"
    }
    for process in ("this", "child"):
        assert ways["ShellTool", process] == "BYPASSED"
        assert ways["FunctionTool", process] == "ENFORCED"
