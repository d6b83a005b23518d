"""What a tool that is exempt at the start may not become: a way round the gate."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from processes import POLICY, Program

pytestmark = pytest.mark.processes

FLOOR = "from agentcop_processor.judges import judges; print(*(gate.agent_id for gate in judges((), None)))"
SCRIPTS = Path(sysconfig.get_path("scripts"))


@pytest.fixture
def armed(tmp_path: Path) -> Program:
    program = Program(folder=tmp_path, environment={"AGENTCOP_ENABLED": "1", "AGENTCOP_POLICY": "policy.yaml"})
    program.file("policy.yaml", POLICY)
    program.file("strands.py", "")
    return program


def test_a_program_on_pythonpath_that_calls_itself_pip_is_armed(armed: Program) -> None:
    armed.file("fake/pip/__init__.py", "")
    armed.file("fake/pip/__main__.py", f"import agentcop._cop; {FLOOR}")
    done = armed.having(PYTHONPATH="fake").run("-m", "pip")
    assert done.stdout.split() == ["armed-agent"]


@pytest.mark.parametrize("command", [["-m", "pip"], [SCRIPTS / "pip"]], ids=["module", "script"])
def test_a_module_that_stands_in_for_one_of_pips_own_is_judged(armed: Program, command: list[str | Path]) -> None:
    armed.file("fake/optparse.py", f"import strands\n{FLOOR}\nraise SystemExit\n")
    done = armed.having(PYTHONPATH=f"fake:{armed.folder}").run(*command)
    assert done.stdout.split() == ["armed-agent"], done.stderr


@pytest.mark.parametrize("command", [["-m", "agentcop"], [SCRIPTS / "agentcop"]], ids=["module", "script"])
def test_a_module_that_stands_in_for_one_of_our_commands_is_judged(armed: Program, command: list[str | Path]) -> None:
    armed.file("fake/click.py", f"import strands\n{FLOOR}\nraise SystemExit\n")
    done = armed.having(PYTHONPATH=f"fake:{armed.folder}").run(*command, "policy")
    assert done.stdout.split() == ["armed-agent"], done.stderr


def test_tools_that_our_command_imports_are_judged_by_the_environments_policy(armed: Program) -> None:
    armed.file("tools.py", f"import strands\n{FLOOR}\nTOOLS = [max]\n")
    done = armed.run("-m", "agentcop", "policy", "validate", "policy.yaml", "--tools", "tools:TOOLS")
    assert done.stdout.split()[0] == "armed-agent"


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"AGENTCOP_ENABLED": "maybe"}, "AGENTCOP_ENABLED is 'maybe': 1, true or yes arm the process"),
        ({"AGENTCOP_POLICY": "missing.yaml"}, "missing.yaml: cannot read the policy"),
    ],
    ids=["enabled", "policy"],
)
def test_an_exempt_process_that_imports_a_framework_is_held_to_its_environment(
    armed: Program, variables: dict[str, str], reason: str
) -> None:
    armed.file("fake/optparse.py", "import strands\nprint('ran')\n")
    done = armed.having(PYTHONPATH=f"fake:{armed.folder}", **variables).run("-m", "pip")
    assert (done.returncode, done.stdout) == (78, "")
    assert reason in done.stderr


def test_our_own_command_makes_cops_that_the_environments_policy_does_not_judge(armed: Program) -> None:
    """As `agentcop doctor` does; else a command could not be used where the policy is broken."""
    code = (
        "import sys\nsys.orig_argv = ['python', '-m', 'agentcop']\nfrom agentcop._boot import arm\narm()\n"
        f"import agentcop._cop\n{FLOOR}\nimport strands\n{FLOOR}\n"
    )
    done = armed.run("-S", "-c", f"import sys; sys.path[:0] = {[path for path in sys.path if path]!r}\n{code}")
    assert done.stdout.split("\n")[:2] == ["", "armed-agent"]
