"""pytest-xdist, opentelemetry-instrument and `agentcop run` before a real application."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from processes import SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path

    from processes import Program

CALLS = "import tools\nprint(tools.called(tools.look, 'it'))\nprint(tools.called(tools.shell, 'it'))\n"


def _decisions(home: Path) -> list[dict[str, str]]:
    lines = (json.loads(line) for line in (home / "gate.log").read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line["kind"] == "decision"]


def test_each_worker_of_pytest_xdist_is_judged(armed: Program, mark: Path) -> None:
    armed.file(
        "test_app.py",
        "import os, pytest, tools\n"
        "@pytest.mark.parametrize('number', range(8))\n"
        "def test_it(number):\n"
        "    assert os.environ['PYTEST_XDIST_WORKER']\n"
        "    assert tools.called(tools.look, 'it') == 'looked at it'\n"
        "    assert tools.called(tools.shell, 'it') == 'blocked by gate.block[0]'\n",
    )
    done = armed.run("-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "test_app.py")
    assert "8 passed" in done.stdout, done.stdout
    assert not mark.exists()


def test_a_worker_of_pytest_xdist_that_cannot_be_armed_runs_no_test(armed: Program, mark: Path) -> None:
    armed.file("test_app.py", "import tools\ndef test_it():\n    assert tools.shell.invoke({'what': 'it'})\n")
    done = armed.having(AGENTCOP_POLICY="missing.yaml").run(
        "-m", "pytest", "-q", "-n", "1", "--max-worker-restart", "0", "-p", "no:cacheprovider", "test_app.py"
    )
    assert done.returncode != 0
    assert "passed" not in done.stdout
    assert not mark.exists()


@pytest.mark.parametrize("enabled", ["1", ""])
def test_opentelemetry_instrument_arms_as_the_variable_says(
    armed: Program, mark: Path, agentcop_home: Path, enabled: str
) -> None:
    armed.file("app.py", CALLS)
    done = armed.having(AGENTCOP_ENABLED=enabled, OTEL_TRACES_EXPORTER="none").command(
        SCRIPTS / "opentelemetry-instrument",
        "--metrics_exporter",
        "none",
        "--logs_exporter",
        "none",
        "python",
        "app.py",
    )
    if enabled:
        assert done.stdout.splitlines() == ["looked at it", "blocked by gate.block[0]"], done.stderr
        assert not mark.exists()
        # The provider is the one that opentelemetry-instrument made before the application's first line.
        assert {line["decided_by"] for line in _decisions(agentcop_home)} == {"span_processor"}
    else:
        assert done.stdout.splitlines() == ["looked at it", "ran it"], done.stderr


WITHOUT_PTH = "import os, sys; print('agentcop._arming.finder' in sys.modules)"


@pytest.mark.parametrize("enabled", ["1", ""])
def test_opentelemetry_instrument_arms_where_no_pth_file_is_run(armed: Program, mark: Path, enabled: str) -> None:
    """As for an install by --target: here without `site`, with its folders on PYTHONPATH."""
    import sys

    armed.file("app.py", CALLS)
    path = ":".join(path for path in sys.path if path)
    armed = armed.having(PYTHONPATH=path, OTEL_TRACES_EXPORTER="none", OTEL_METRICS_EXPORTER="none")
    assert armed.run("-S", "-c", WITHOUT_PTH).stdout.split() == ["False"]
    start = (
        "import sys, runpy; from opentelemetry.instrumentation.auto_instrumentation import initialize; initialize();"
        "sys.path.insert(0, '.'); runpy.run_path('app.py')"
    )
    done = armed.having(AGENTCOP_ENABLED=enabled).run("-S", "-c", start)
    expected = "blocked by gate.block[0]" if enabled else "ran it"
    assert done.stdout.splitlines() == ["looked at it", expected], done.stderr
    assert mark.exists() == (not enabled)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [({"AGENTCOP_POLICY": "missing.yaml"}, "cannot read the policy"), ({"AGENTCOP_ENABLED": "2"}, "is '2'")],
    ids=["policy", "value"],
)
def test_opentelemetry_instrument_swallows_no_failure_to_arm(
    armed: Program, mark: Path, variables: dict[str, str], reason: str
) -> None:
    armed.file("app.py", CALLS)
    done = armed.having(OTEL_TRACES_EXPORTER="none", **variables).command(
        SCRIPTS / "opentelemetry-instrument",
        "--metrics_exporter",
        "none",
        "--logs_exporter",
        "none",
        "python",
        "app.py",
    )
    assert (done.returncode, done.stdout) == (78, "")
    assert reason in done.stderr
    assert not mark.exists()


def test_the_command_run_arms_an_application_that_nothing_else_arms(armed: Program, mark: Path) -> None:
    armed.file("app.py", CALLS)
    done = armed.having(AGENTCOP_ENABLED="", AGENTCOP_POLICY="").command(
        SCRIPTS / "agentcop", "run", "--policy", "policy.yaml", "--", "python", "app.py"
    )
    assert done.stdout.splitlines() == ["looked at it", "blocked by gate.block[0]"], done.stderr
    assert not mark.exists()
