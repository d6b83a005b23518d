"""Adapters are put in place by the import of what they patch; one that cannot be put in place ends the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from processes import POLICY, Program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.processes

FRAMEWORK = """
class Tool:
    name = "tool"
    def run(self, what):
        print("ran", self.name, what)
        return what

class Agent:
    def __init__(self, *tools):
        self.tools = tools
    def go(self, what):
        for tool in self.tools:
            try:
                tool.run(what)
            except Exception as swallowed:
                print("swallowed", type(swallowed).__name__)
        return "done"
"""

ADAPTER = """
from agentcop.adapters._framework import Framework, at
from agentcop.adapters._interface import EntryTarget, ParsedCall, ToolTarget

TOOL, AGENT = ("fancy.core", "Tool"), ("fancy.core", "Agent")

def parse(tool, args, kwargs):
    return ParsedCall(arguments={"what": args[0]}, run=lambda values: ((values["what"],), {}))

class FancyAdapter(Framework):
    name, module, supported, needs = "fancy", "fancy", "", ("fancy.core",)
    places = (TOOL, AGENT)
    tool_classes = (TOOL,)
    agent_classes = (AGENT,)
    tools = (at([TOOL], ["run"], ToolTarget, parse=parse, name=lambda tool: tool.name),)
    entries = (at([AGENT], ["go"], EntryTarget, observe=lambda args, kwargs: ()),)

    def __init__(self, imported=""):
        super().__init__(imported)
        print("for", imported)
"""

REGISTERED = """
import agentcop.adapters as adapters
adapters.REGISTRY["fancy.core"] = "fancy_adapter:FancyAdapter"
adapters.ROOTS["fancy"] = "fancy_adapter:FancyAdapter"
"""

PROGRAM = """
import sys
import fancy
from fancy.core import Agent, Tool
tool = Tool()
tool.name = sys.argv[1]
try:
    print(Agent(tool).go("it"))
except Exception as error:
    print("raised", type(error).__name__, error.verdict.rule)
"""


@pytest.fixture
def armed(tmp_path: Path) -> Program:
    """A program of the framework `fancy`, whose adapter is registered before the program's first line."""
    program = Program(folder=tmp_path, environment={"AGENTCOP_ENABLED": "1", "AGENTCOP_POLICY": "policy.yaml"})
    program.file("policy.yaml", POLICY)
    program.file("fancy/__init__.py", "")
    program.file("fancy/core.py", FRAMEWORK)
    program.file("fancy_adapter.py", ADAPTER)
    program.file("main.py", PROGRAM)
    program.file("start.py", REGISTERED + "import runpy\nrunpy.run_path('main.py', run_name='__main__')\n")
    return program


def test_an_allowed_tool_of_an_unchanged_program_runs(armed: Program) -> None:
    done = armed.run("start.py", "look")
    assert [line for line in done.stdout.splitlines() if not line.startswith("for ")] == ["ran look it", "done"]


@pytest.mark.parametrize(("tool", "rule"), [("shell", "gate.block[0]"), ("unlisted", "gate.default")])
def test_a_blocked_one_does_not_and_the_entry_raises_what_the_framework_swallowed(
    armed: Program, tool: str, rule: str
) -> None:
    done = armed.run("start.py", tool)
    shown = [line for line in done.stdout.splitlines() if not line.startswith("for ")]
    assert shown == ["swallowed PolicyBlocked", f"raised PolicyBlocked {rule}"]


def test_the_program_is_the_same_where_it_is_not_armed(armed: Program) -> None:
    done = armed.having(AGENTCOP_ENABLED="0").run("main.py", "shell")
    assert (done.stdout, done.stderr) == ("ran shell it\ndone\n", "")


def test_a_reloaded_framework_is_governed_again(armed: Program) -> None:
    reloaded = "import importlib\nimport fancy.core\nimportlib.reload(fancy.core)\n"
    armed.file("start.py", REGISTERED + reloaded + "import runpy\nrunpy.run_path('main.py', run_name='__main__')\n")
    done = armed.run("start.py", "shell")
    assert done.stdout.splitlines()[-1] == "raised PolicyBlocked gate.block[0]"
    assert "ran" not in done.stdout


def test_a_framework_that_was_there_before_the_process_was_armed_is_governed_too(armed: Program) -> None:
    code = (
        "import os, sys, fancy.core\n" + REGISTERED + "os.environ['AGENTCOP_ENABLED'] = '1'\n"
        "from agentcop._boot import arm\narm()\n"
        "sys.argv[1:] = ['shell']\nimport runpy\nrunpy.run_path('main.py', run_name='__main__')\n"
    )
    done = armed.having(AGENTCOP_ENABLED="").run("-c", code)
    assert done.stdout.splitlines()[-1] == "raised PolicyBlocked gate.block[0]"
    assert "ran" not in done.stdout


def test_an_adapter_that_does_not_find_its_seam_ends_the_process(armed: Program) -> None:
    armed.file("fancy/core.py", FRAMEWORK.replace("def run(", "def run_it("))
    done = armed.run("start.py", "look")
    assert done.returncode == 78
    assert "fancy.core was imported and cannot be governed" in done.stderr
    assert "ran" not in done.stdout


def test_a_framework_whose_seam_has_moved_elsewhere_ends_the_process_at_its_first_import(armed: Program) -> None:
    (armed.folder / "fancy/core.py").rename(armed.folder / "fancy/heart.py")
    done = armed.run("-c", REGISTERED + "import fancy; print('ran')")
    assert done.returncode == 78
    assert "there is no fancy.core in this fancy" in done.stderr
    assert "ran" not in done.stdout


def test_an_adapter_that_cannot_be_loaded_ends_the_process(armed: Program) -> None:
    armed.file("fancy_adapter.py", "raise RuntimeError('broken')\n")
    done = armed.run("start.py", "look")
    assert done.returncode == 78
    assert "RuntimeError: broken" in done.stderr


def test_a_package_of_ones_own_that_bears_a_frameworks_name_needs_no_policy_and_is_left_alone(armed: Program) -> None:
    armed.file("agents/__init__.py", "")
    armed.file("agents/tool.py", "class FunctionTool: pass\n")
    armed.file("agents/run.py", "")
    code = "import agents.tool, agents.run; print(agents.tool.FunctionTool.__name__)"
    assert armed.having(AGENTCOP_POLICY="missing.yaml").says(code) == ["FunctionTool"]


def test_an_object_of_such_a_package_is_wrapped_as_any_other(armed: Program) -> None:
    armed.file(
        "agents/__init__.py", "class Agent:\n    def __init__(self):\n        self.tools = {'look': lambda: 'looked'}\n"
    )
    code = (
        "from agents import Agent; from agentcop import AgentCop, GatePolicy\n"
        "agent = AgentCop(agent_id='a', policy=GatePolicy(allow=['look'])).wrap(Agent())\n"
        "print(agent.tools['look']())"
    )
    assert armed.says(code) == ["looked"]
