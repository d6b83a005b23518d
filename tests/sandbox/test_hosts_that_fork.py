"""Applications that fork while boxes wait, as servers of several workers do: each process has its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.sandbox

AMPLE = 120.0
BEGINNING = """
    import os, sys
    from agentcop import AgentCop
    import boxed_tools
    cop = AgentCop(policy_file=sys.argv[1])
    where = cop.tool(boxed_tools.where)
"""
FORKING = """
    from agentcop_processor.sandbox.boxes import runner
    from agentcop_processor.sandbox.boxing import Boxed
    kept = []
    real_get = Boxed.get
    def get(self, agent):
        kept.append(self)  # as whoever still holds a call that is over
        return real_get(self, agent)
    Boxed.get = get
    def served(who):
        for _ in range(2):
            assert where(text=who)["text"] == who
    served("before")
    (made,) = runner._by_home.values()
    assert made._reaper.settled(1, 60.0)
    own = [open(os.devnull) for _ in range(64)]  # on the numbers that boxes' files had
    child = os.fork()
    if child == 0:
        try:
            for file in own:
                os.fstat(file.fileno())
            served("child")
            made.close()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    served("parent")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    served("after")
    made.close()
"""
IMPORTING = """
    from agentcop_core.locks import IMPORTING
    unheld = []
    class Watch:
        def find_spec(self, name, path=None, target=None):
            if name.startswith("agentcop") and not IMPORTING._is_owned():
                unheld.append(name)
    sys.meta_path.insert(0, Watch())
    assert where(text="x")["text"] == "x"
    assert not unheld, unheld
"""


def _runs(folder: Path, script: str, network: str) -> subprocess.CompletedProcess[str]:
    policy = folder / "policy.yaml"
    policy.write_text(
        f"agent_id: a\ngate: {{default: allow}}\nsandbox: {{mode: process, network: {network}}}\n", encoding="utf-8"
    )
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BEGINNING) + textwrap.dedent(script), str(policy)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=AMPLE,
        check=False,
    )


@pytest.mark.parametrize("network", ["none", "public"])
def test_parent_and_child_both_have_boxes_after_a_fork(tmp_path: Path, agentcop_home: Path, network: str) -> None:
    done = _runs(tmp_path, FORKING, network)
    assert done.returncode == 0, done.stdout[-4_000:]


def test_nothing_of_ours_is_half_imported_where_a_call_forks(tmp_path: Path, agentcop_home: Path) -> None:
    done = _runs(tmp_path, IMPORTING, "public")
    assert done.returncode == 0, done.stdout[-4_000:]
