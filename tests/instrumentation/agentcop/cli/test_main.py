from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from chained import write_log

if TYPE_CHECKING:
    from pathlib import Path


def agentcop(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agentcop", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def loaded_by(*arguments: str) -> set[str]:
    program = f"""
import sys
from agentcop.cli import main
try: main({list(arguments)!r})
except SystemExit: pass
print("\\n" + " ".join(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_version_is_the_distribution_s() -> None:
    done = agentcop("--version")
    assert (done.stdout, done.returncode) == (f"agentcop {metadata.version('agentcop-runtime')}\n", 0)


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("gate", "log"), ("gate", "verify")])
def test_the_command_loads_only_what_it_needs(agentcop_home: Path, arguments: tuple[str, ...]) -> None:
    write_log(agentcop_home)
    heavy = {"opentelemetry.sdk", "opentelemetry.trace", "pydantic", "yaml", "grpc", "requests", "slack_sdk"}
    assert loaded_by(*arguments) & heavy == set()


def test_help_lists_the_groups_without_importing_them() -> None:
    done = agentcop("--help")
    assert done.returncode == 0
    assert {"gate", "policy"} <= {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")}
    assert not [name for name in loaded_by("--help") if name.startswith(("agentcop.cli.", "agentcop_policies"))]


@pytest.mark.parametrize("arguments", [("nonsense",), ("gate", "nonsense"), ("gate", "log", "--since", "soon")])
def test_a_command_that_cannot_be_understood_exits_2(arguments: tuple[str, ...]) -> None:
    done = agentcop(*arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_what_cannot_be_done_is_one_line_and_exit_2(agentcop_home: Path) -> None:
    agentcop_home.mkdir()
    (agentcop_home / "gate.log").mkdir()
    done = agentcop("gate", "log")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_error_message(agentcop_home: Path) -> None:
    write_log(agentcop_home, decisions=3000)
    process = subprocess.Popen(
        [sys.executable, "-m", "agentcop", "gate", "log"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout as shown, process.stderr as talk:
        shown.read(10)
        shown.close()
        assert talk.read() == b""
    assert process.wait() == 2


def test_a_locale_without_unicode_shows_escapes(agentcop_home: Path) -> None:
    write_log(agentcop_home, writers=1)
    done = agentcop("gate", "log", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "\\u2192 no outcome yet" in done.stdout
