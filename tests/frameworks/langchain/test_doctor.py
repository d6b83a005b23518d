"""`agentcop doctor` on a real LangChain: every way to a tool is tried, and one that was taken out is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doctored import ask, patient
from gatefile import lines
from processes import POLICY, Program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.frameworks

WAYS = ["BaseTool.run", "BaseTool.arun", "BaseTool.invoke", "BaseTool.ainvoke"]

# Somebody else's import hook, which runs after ours and puts a copy of the method as it was in its place.
UNPATCHED = """
import importlib.abc, importlib.util, sys

class Loader(importlib.abc.Loader):
    def __init__(self, inner):
        self.inner = inner
    def create_module(self, spec):
        return self.inner.create_module(spec)
    def exec_module(self, module):
        self.inner.exec_module(module)
        tampered(module)

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "langchain_core.tools.base" or self in looking:
            return None
        looking.append(self)
        spec = importlib.util.find_spec(name)
        looking.remove(self)
        spec.loader = Loader(spec.loader)
        return spec

looking = []
sys.meta_path.insert(0, Finder())

def tampered(module):
    spec = importlib.util.spec_from_file_location("twin", module.__file__)
    twin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(twin)
    module.BaseTool.METHOD = twin.BaseTool.METHOD
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return patient(tmp_path)


def test_every_way_to_a_tool_is_enforced_here_and_in_a_child(program: Program, agentcop_home: Path) -> None:
    answer = ask(program)
    for process in ("this", "child"):
        seams = [seam for seam in answer.seams if seam["framework"] == "langchain" and seam["process"] == process]
        assert [(seam["way"], seam["state"]) for seam in seams] == [(way, "ENFORCED") for way in WAYS]
        assert seams[0]["release"].startswith("langchain-core ")
    assert answer.code == 0
    assert lines(agentcop_home) == []


def test_a_policy_that_only_observes_lets_every_canary_run(tmp_path: Path) -> None:
    answer = ask(patient(tmp_path, "mode: observe\n" + POLICY))
    assert answer.states(framework="langchain") == {"OBSERVE-ONLY"}
    assert answer.code == 1


@pytest.mark.parametrize("method", ["run", "arun"])
def test_a_method_that_somebody_put_back_is_bypassed(program: Program, method: str) -> None:
    program.file("lib/sitecustomize.py", UNPATCHED.replace("METHOD", method))
    answer = ask(program.having(PYTHONPATH="lib"))
    assert answer.code == 1
    ways = {seam["way"]: seam["state"] for seam in answer.seams if seam["process"] == "child"}
    assert ways[f"BaseTool.{method}"] == "BYPASSED"
    assert ways[f"BaseTool.{'arun' if method == 'run' else 'run'}"] == "ENFORCED"


def test_a_seam_that_has_moved_is_not_governed_and_no_traceback(program: Program) -> None:
    program.file(
        "lib/sitecustomize.py",
        UNPATCHED.partition("    spec = importlib.util.spec_from")[0] + "    del module.BaseTool.arun\n",
    )
    answer = ask(program.having(PYTHONPATH="lib"))
    (here,) = [seam for seam in answer.seams if (seam["framework"], seam["process"]) == ("langchain", "this")]
    assert (answer.code, here["state"]) == (1, "NOT GOVERNED")
    assert here["reason"].endswith("arun is gone: nobody would see its tool calls: an armed process ends here with 78")
    # There the method went after it had been patched: the next import of LangChain's ends the child, if there is one.
    (child,) = [
        seam
        for seam in answer.seams
        if (seam["framework"], seam["process"]) == ("langchain", "child") and seam["way"] in {"", "BaseTool.arun"}
    ]
    assert child["state"] == "NOT GOVERNED"
    assert child["reason"].startswith(("the canary did not reach the gate: ", "it ended with 78: "))
