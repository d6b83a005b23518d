"""`agentcop doctor` on a real MCP library: a tool of a real server is called by every way that a client has."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from doctored import ask, patient
from processes import POLICY

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.frameworks

SESSION = ["ClientSession.call_tool", "ClientSession.send_request"]
CLIENT = ["Client.call_tool"] if find_spec("mcp.client.client") else []
FAST = ["fastmcp.Client.call_tool"] if find_spec("fastmcp") else []


@pytest.mark.parametrize(
    ("mode", "state", "code"), [("", "ENFORCED", 0), ("mode: observe\n", "OBSERVE-ONLY", 1)], ids=["enforce", "observe"]
)
def test_every_way_to_a_servers_tool_is_tried_here_and_in_a_child(
    tmp_path: Path, mode: str, state: str, code: int
) -> None:
    answer = ask(patient(tmp_path, mode + POLICY))
    for process in ("this", "child"):
        seams = [seam for seam in answer.seams if seam["framework"] == "mcp" and seam["process"] == process]
        assert [(seam["way"], seam["state"]) for seam in seams] == [(way, state) for way in CLIENT + SESSION + FAST]
    assert answer.code == code


def test_a_seam_that_somebody_took_out_is_bypassed(tmp_path: Path) -> None:
    program = patient(tmp_path)
    program.file(
        "lib/sitecustomize.py",
        "import agentcop._seams.install as install\n"
        "keep = install.install_tool\n"
        "install.install_tool = lambda target: None if target.attribute == 'send_request' else keep(target)\n"
        "install.install_tool.__name__ = 'install_tool'\n",
    )
    answer = ask(program.having(PYTHONPATH="lib"))
    assert answer.code == 1
    ways = {(seam["way"], seam["process"]): seam["state"] for seam in answer.seams if seam["framework"] == "mcp"}
    for process in ("this", "child"):
        assert ways["ClientSession.send_request", process] == "BYPASSED"
        assert ways["ClientSession.call_tool", process] == "ENFORCED"
