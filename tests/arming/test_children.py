"""Processes that an armed one makes are armed like it: by subprocess, fork, spawn and from a zip file."""

from __future__ import annotations

import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from processes import POLICY, Program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.processes

FLOOR = "import strands; from agentcop_processor.judges import judges; print(judges((), None)[0].agent_id, flush=True)"


@pytest.fixture
def armed(tmp_path: Path) -> Program:
    program = Program(folder=tmp_path, environment={"AGENTCOP_ENABLED": "1", "AGENTCOP_POLICY": "policy.yaml"})
    program.file("policy.yaml", POLICY)
    program.file("strands.py", "")
    return program


def test_a_subprocess_elsewhere_finds_the_same_policy_and_state_folder(armed: Program, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    code = (
        "import os, subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True,"
        f" cwd={str(elsewhere)!r}, env=dict(os.environ, PYTHONPATH=os.getcwd()))"
    )
    done = armed.having(AGENTCOP_HOME="state").run("-c", code, FLOOR)
    assert done.stdout.split() == ["armed-agent"]
    assert f"policy {tmp_path}/policy.yaml, state folder {tmp_path}/state" in done.stderr


def test_a_subprocess_with_an_empty_environment_is_not_armed(armed: Program) -> None:
    """The documented limit: what does not get the variables does not know of them."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True, env={})"
    probe = "import sys; print(any(type(f).__module__ == 'agentcop._arming.finder' for f in sys.meta_path))"
    assert armed.run("-c", code, probe).stdout.split() == ["False"]


@pytest.mark.parametrize("before", ["", "import strands"], ids=["armed-in-the-child", "armed-before"])
def test_a_fork_is_judged(armed: Program, before: str) -> None:
    code = f"import os\n{before}\nif os.fork() == 0:\n    {FLOOR}\n    os._exit(0)\nprint(os.wait()[1])"
    assert sorted(armed.run("-W", "ignore", "-c", code).stdout.split()) == ["0", "armed-agent"]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_multiprocessing_worker_is_judged(armed: Program, method: str) -> None:
    armed.file("work.py", f"def work():\n    {FLOOR}\n")
    main = (
        "import multiprocessing, work\nif __name__ == '__main__':\n"
        f"    child = multiprocessing.get_context({method!r}).Process(target=work.work)\n"
        "    child.start()\n    child.join()\n    print(child.exitcode)\n"
    )
    done = armed.run(armed.file("main.py", main))
    assert done.stdout.split() == ["armed-agent", "0"], done.stderr


def test_a_program_in_a_zip_file_is_judged(armed: Program) -> None:
    bundle = armed.folder / "app.pyz"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("__main__.py", FLOOR)
        archive.writestr("strands.py", "")
    assert armed.run(bundle).stdout.split() == ["armed-agent"]


def test_pytest_and_its_workers_are_judged(armed: Program) -> None:
    armed.file("test_it.py", f"def test_it():\n    {FLOOR}\n")
    done = armed.run("-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "test_it.py")
    assert "armed-agent" in done.stdout
    assert done.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no signals of this kind")
def test_the_exit_code_reaches_the_parent(armed: Program) -> None:
    code = "import subprocess, sys; print(subprocess.run([sys.executable, '-c', 'import strands']).returncode)"
    done = armed.having(AGENTCOP_POLICY="missing.yaml").run("-c", code)
    assert done.stdout.split() == ["78"]
