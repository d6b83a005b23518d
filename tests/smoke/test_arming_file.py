"""The files that arm come with the wheel and go with it; where they are not run, `import agentcop` arms."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from doctored import read
from processes import POLICY, Program

pytestmark = pytest.mark.smoke

WHEELS = Path(__file__).resolve().parents[2] / ".cache/wheel"
PIP = ("-m", "pip", "-q", "--disable-pip-version-check")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The interpreter of a new virtual environment with pip and nothing else."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    return tmp_path / "venv/bin/python"


@pytest.fixture
def wheel() -> Path:
    (found,) = WHEELS.glob("agentcop_runtime-*.whl")
    return found


def test_installing_arms_an_environment_and_uninstalling_disarms_it(tmp_path: Path, bare: Path, wheel: Path) -> None:
    program = Program(folder=tmp_path, environment={"AGENTCOP_ENABLED": "neither"})
    assert program.run("-c", "pass", python=bare).returncode == 0
    assert program.run(*PIP, "install", "--no-deps", "--no-index", wheel, python=bare).returncode == 0
    assert program.run("-c", "pass", python=bare).returncode == 78
    assert program.run(*PIP, "uninstall", "--yes", "agentcop-runtime", python=bare).returncode == 0
    assert program.run("-c", "pass", python=bare).returncode == 0
    left = [path.name for path in (tmp_path / "venv").rglob("agentcop*") if path.suffix in {".pth", ".start"}]
    assert left == []


def test_a_fresh_environment_without_agentcop_is_not_armed(tmp_path: Path, bare: Path) -> None:
    """The documented limit: there is nothing of ours that could run."""
    program = Program(folder=tmp_path, environment={"AGENTCOP_ENABLED": "1", "AGENTCOP_POLICY": "missing.yaml"})
    program.file("strands.py", "print('imported')\n")
    assert program.run("-c", "import strands", python=bare).stdout == "imported\n"


@pytest.fixture
def beside(tmp_path: Path, bare: Path, wheel: Path) -> Program:
    """A program with AgentCop beside it by `pip install --target`, on PYTHONPATH, in an environment without it."""
    program = Program(folder=tmp_path, environment={"AGENTCOP_ENABLED": "1", "AGENTCOP_POLICY": "policy.yaml"})
    program.file("policy.yaml", POLICY)
    program.file("strands.py", "")
    installed = Program(folder=tmp_path).run(*PIP, "install", "--no-deps", "--no-index", "--target", "lib", wheel)
    assert installed.returncode == 0, installed.stderr
    # What AgentCop needs itself, as the same command would have put it there; .pth files do not run in such a folder.
    return program.having(PYTHONPATH=os.pathsep.join([str(tmp_path / "lib"), sysconfig.get_path("purelib")]))


FLOOR = "from agentcop_processor.judges import judges; print(*(gate.agent_id for gate in judges((), None)))"


def test_an_install_by_target_is_armed_by_its_import_and_not_before(beside: Program, bare: Path) -> None:
    before = "import sys, strands; print('agentcop' in sys.modules)"
    done = beside.run("-c", f"{before}; import agentcop; {FLOOR}", python=bare)
    assert done.stdout.split() == ["False", "armed-agent"], done.stderr
    assert (
        str(beside.folder / "lib") in beside.run("-c", "import agentcop; print(agentcop.__file__)", python=bare).stdout
    )


@pytest.mark.parametrize(
    "variables", [{"AGENTCOP_ENABLED": "maybe"}, {"AGENTCOP_POLICY": "missing.yaml"}], ids=["value", "policy"]
)
def test_an_install_by_target_that_cannot_be_armed_ends_at_its_import(
    beside: Program, bare: Path, variables: dict[str, str]
) -> None:
    done = beside.having(**variables).run("-c", "import strands, agentcop; print('ran')", python=bare)
    assert (done.returncode, done.stdout) == (78, "")


def test_the_command_run_does_not_start_a_program_that_only_an_import_would_arm(beside: Program, bare: Path) -> None:
    done = beside.run("-m", "agentcop", "run", bare, "-c", "print('ran')", python=bare)
    assert (done.returncode, done.stdout) == (78, "")
    assert "is not armed: agentcop-runtime is not installed there, or its .pth file is not run" in done.stderr


def test_the_doctor_says_that_there_a_program_is_armed_only_by_its_own_import(beside: Program, bare: Path) -> None:
    answer = read(beside.run("-m", "agentcop", "doctor", "-f", "json", python=bare))
    here, child = answer.states("this", "python"), answer.states("child", "python")
    assert (answer.code, here, child) == (1, {"ENFORCED"}, {"BYPASSED"})
    (origin,) = answer.of("origin", "ok")
    assert str(beside.folder / "lib/agentcop") in origin
    assert "every file as installed" in origin


def test_the_doctor_sees_a_file_that_was_changed_after_the_install(beside: Program, bare: Path) -> None:
    changed = beside.folder / "lib/agentcop_processor/judges.py"
    changed.write_text(changed.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (beside.folder / "lib/agentcop/more.py").touch()
    answer = read(beside.run("-m", "agentcop", "doctor", "-f", "json", python=bare))
    assert answer.of("origin") == ["agentcop_processor/judges.py is not as it was installed"]
    assert answer.code == 1
