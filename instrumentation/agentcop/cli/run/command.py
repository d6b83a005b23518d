"""`agentcop run -- CMD`: start a program armed, after a look at whether it can be."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import NoReturn

import click

from agentcop._boot import ENABLED, EXIT, HOME, POLICY
from agentcop.cli._output import escape, say
from agentcop.cli.run.interpreter import interpreter_of
from agentcop_core.errors import PolicyError
from agentcop_core.home import absolute, ensure_state_folder, state_folder

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_PROBE = "import sys; sys.exit(0 if 'agentcop._arming.finder' in sys.modules else 1)"
_PROBE_SECONDS = 60


@click.command(
    short_help="Run a command whose Python is armed.",
    context_settings={"allow_interspersed_args": False},
)
@click.option(
    "--policy",
    "policy_file",
    envvar=POLICY,
    type=click.Path(dir_okay=False),
    help="The policy file to judge by; else $AGENTCOP_POLICY.",
)
@click.option(
    "--home", type=click.Path(file_okay=False), help="The state folder. [default: $AGENTCOP_HOME, else the user's]"
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND…")
def run(*, policy_file: str | None, home: str | None, command: tuple[str, ...]) -> None:
    """Run COMMAND with AGENTCOP_ENABLED=1: every Python that it is, or starts, judges tool calls by the policy.

    The policy, the state folder and the Python are looked at first: exits 78 if the command could not be armed. Then
    this process becomes the command, so its exit code and signals are the command's own. Exits 127 if there is no such
    command, 126 if it cannot be run.
    """
    if not policy_file:
        message = f"no policy: give --policy FILE or set {POLICY}"
        raise click.UsageError(message)
    environment = _environment(policy_file, home)
    program = shutil.which(command[0])
    if program is None:
        say(f"agentcop: run: there is no command {escape(command[0])}")
        sys.exit(_NOT_FOUND)
    _check_python(program, command, environment)
    _become(program, command, environment)


def _environment(policy_file: str, home: str | None) -> dict[str, str]:
    """What the command is started with. Exits 78 where the policy or the state folder is no good."""
    from agentcop_policies import load_policy

    try:
        load_policy(policy_file)
        folder = state_folder({**os.environ, HOME: home} if home else os.environ)
        ensure_state_folder(folder)
    except PolicyError as error:
        _refuse(*error.problems)
    except OSError as error:
        _refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    return {**os.environ, ENABLED: "1", POLICY: absolute(policy_file), HOME: str(folder)}


def _check_python(program: str, command: tuple[str, ...], environment: dict[str, str]) -> None:
    """Start the command's Python once, to see whether it is armed. Exits 78 if it is not."""
    python = interpreter_of(program, command)
    if python is None:
        say(f"agentcop: run: {escape(command[0])} is no Python: what it starts is armed if its Python has AgentCop")
        return
    shown = escape(" ".join(python))
    try:
        probe = subprocess.run(  # noqa: S603 -- the interpreter of the command that we were asked to run
            [*python, "-c", _PROBE],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _refuse(f"{shown}: cannot tell whether it is armed: {type(error).__name__}")
    if probe.returncode:
        reasons = [line.removeprefix("agentcop: ") for line in probe.stderr.splitlines() if line.strip()]
        _refuse(f"{shown} is not armed: agentcop-runtime is not installed there, or its .pth file is not run", *reasons)


def _become(program: str, command: tuple[str, ...], environment: dict[str, str]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores these, and what is ignored stays so in the next program
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execve(program, command, environment)  # noqa: S606 -- no shell: the words are the user's own
    except OSError as error:
        say(f"agentcop: run: {escape(program)}: {error.strerror}")
        sys.exit(_NOT_EXECUTABLE)


def _refuse(*reasons: str) -> NoReturn:
    for reason in reasons:
        say(f"agentcop: {escape(reason)}")
    say(f"agentcop: run: the command could not be armed, so it is not started (exit {EXIT})")
    sys.exit(EXIT)
