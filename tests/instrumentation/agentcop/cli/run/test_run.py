"""`agentcop run`: the command is armed, or not started; and then it is as if nobody stood in front of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from processes import POLICY, SCRIPTS, Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.processes

ARMED = "import os, sys; print('agentcop._arming.finder' in sys.modules, os.environ['AGENTCOP_POLICY'])"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(folder=tmp_path)
    program.file("policy.yaml", POLICY)
    program.file("strands.py", "")
    return program


def _run(program: Program, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return program.command(SCRIPTS / "agentcop", "run", "--policy", "policy.yaml", "--", *words)


def test_the_command_is_armed_with_this_policy_wherever_it_goes(program: Program) -> None:
    code = "import os; os.chdir('/'); import strands"
    done = _run(program, "python", "-c", f"{ARMED}; sys.path.insert(0, os.getcwd()); {code}")
    assert done.stdout.split() == ["True", str(program.folder / "policy.yaml")]
    assert f"agentcop: armed: agent armed-agent, policy {program.folder}/policy.yaml" in done.stderr


def test_the_policy_may_come_from_the_environment(program: Program) -> None:
    done = program.having(AGENTCOP_POLICY="policy.yaml").command(SCRIPTS / "agentcop", "run", "python", "-c", ARMED)
    assert done.stdout.split() == ["True", str(program.folder / "policy.yaml")]


def test_the_state_folder_may_be_chosen(program: Program) -> None:
    code = "import os; print(os.environ['AGENTCOP_HOME'])"
    command = (SCRIPTS / "agentcop", "run", "--policy", "policy.yaml", "--home", "state", "python", "-c", code)
    assert program.command(*command).stdout.split() == [str(program.folder / "state")]


@pytest.mark.parametrize("code", [0, 1, 3, 78, 255])
def test_the_exit_code_is_the_commands(program: Program, code: int) -> None:
    assert _run(program, "python", "-c", f"raise SystemExit({code})").returncode == code


def test_the_commands_own_failure_to_arm_is_78(program: Program) -> None:
    code = "import os; os.remove('policy.yaml'); import strands; print('ran')"
    done = _run(program, "python", "-c", code)
    assert (done.returncode, done.stdout) == (78, "")


def test_arguments_stdin_and_streams_are_the_commands(program: Program) -> None:
    code = "import sys; print(sys.argv[1:], sys.stdin.read()); print('talk', file=sys.stderr)"
    done = subprocess.run(
        [SCRIPTS / "agentcop", "run", "--policy", "policy.yaml", sys.executable, "-c", code, "--policy", "-h", "a b"],
        cwd=program.folder,
        input="said",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("['--policy', '-h', 'a b'] said\n", "talk\n")


@pytest.fixture
def sleeping(program: Program) -> Iterator[subprocess.Popen[str]]:
    """A command under `agentcop run` that has said that it is there."""
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    command: list[str | Path] = [SCRIPTS / "agentcop", "run", "--policy", "policy.yaml", sys.executable, "-c", code]
    with subprocess.Popen(
        command, cwd=program.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as it:
        yield it
        it.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGKILL])
def test_a_signal_reaches_the_command_because_it_is_the_same_process(
    sleeping: subprocess.Popen[str], number: signal.Signals
) -> None:
    assert sleeping.stdout is not None
    assert int(sleeping.stdout.readline()) == sleeping.pid
    os.kill(sleeping.pid, number)
    assert sleeping.wait(60) == -number


def test_what_python_ignores_is_not_ignored_by_the_command(program: Program) -> None:
    done = _run(program, "bash", "-c", "kill -PIPE $$; echo survived")
    assert (done.returncode, done.stdout) == (-signal.SIGPIPE, "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [(None, "cannot read the policy"), ("agent_id: a\ngate: {alow: [x]}\n", 'policy.yaml:2:8 unknown key "alow"')],
    ids=["missing", "broken"],
)
def test_nothing_is_started_by_a_policy_that_cannot_be_loaded(program: Program, text: str | None, problem: str) -> None:
    if text is None:
        (program.folder / "policy.yaml").unlink()
    else:
        program.file("policy.yaml", text)
    done = _run(program, "touch", "started")
    assert done.returncode == 78
    assert problem in done.stderr
    assert "Traceback" not in done.stderr
    assert not (program.folder / "started").exists()


def test_nothing_is_started_where_no_log_can_be_written(program: Program) -> None:
    program.file("file", "")
    done = program.having(AGENTCOP_HOME="file/state").command(
        SCRIPTS / "agentcop", "run", "--policy", "policy.yaml", "touch", "started"
    )
    assert done.returncode == 78
    assert "no gate.log can be written" in done.stderr
    assert not (program.folder / "started").exists()


def test_a_python_that_has_no_agentcop_is_not_started(program: Program) -> None:
    venv.create(program.folder / "bare", symlinks=True)
    done = _run(program, program.folder / "bare/bin/python", "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (78, "")
    assert "bare/bin/python is not armed: agentcop-runtime is not installed there" in done.stderr


def test_nor_is_a_script_of_such_a_python(program: Program) -> None:
    venv.create(program.folder / "bare", symlinks=True)
    script = program.file("tool", f"#!{program.folder}/bare/bin/python\nprint('ran')\n")
    script.chmod(0o755)
    done = _run(program, script)
    assert (done.returncode, done.stdout) == (78, "")


@pytest.mark.parametrize("options", [["-S"], ["-IS"], ["-X", "utf8", "-S"], ["-S", "-W", "error"]], ids=" ".join)
def test_nor_is_a_python_whose_options_keep_it_from_being_armed(program: Program, options: list[str]) -> None:
    done = _run(program, "python", *options, "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (78, "")


@pytest.mark.parametrize("options", [["-I"], ["-Es"], ["-X", "utf8", "-W", "error"], ["-u", "-B"]], ids=" ".join)
def test_other_options_are_left_as_they_are(program: Program, options: list[str]) -> None:
    assert _run(program, "python", *options, "-c", ARMED).stdout.split()[0] == "True"


def test_a_script_of_our_python_is_started(program: Program) -> None:
    script = program.file("tool", f"#!/usr/bin/env python\n{ARMED}\n")
    script.chmod(0o755)
    assert _run(program, script).stdout.split()[0] == "True"


def test_of_what_is_no_python_it_is_said_that_nobody_can_know(program: Program) -> None:
    done = _run(program, "bash", "-c", f'python -c "{ARMED}"')
    assert done.stdout.split()[0] == "True"
    assert done.stderr == "agentcop: run: bash is no Python: what it starts is armed if its Python has AgentCop\n"


def test_a_command_that_is_not_there_is_127(program: Program) -> None:
    done = _run(program, "no-such-command")
    assert (done.returncode, done.stderr) == (127, "agentcop: run: there is no command no-such-command\n")


def test_a_command_that_cannot_be_run_is_126(program: Program) -> None:
    program.file("data", "neither a program nor a script\n").chmod(0o755)
    done = _run(program, "./data")
    assert done.returncode == 126
    assert "Exec format error" in done.stderr


def test_without_a_policy_it_is_told_how_to_give_one(program: Program) -> None:
    done = program.command(SCRIPTS / "agentcop", "run", "python", "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (2, "")
    assert "give --policy FILE or set AGENTCOP_POLICY" in done.stderr
