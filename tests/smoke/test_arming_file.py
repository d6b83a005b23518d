"""The line that arms comes with the wheel and goes with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from processes import Program

pytestmark = pytest.mark.smoke

WHEELS = Path(__file__).resolve().parents[2] / ".cache/wheel"


def test_installing_arms_an_environment_and_uninstalling_disarms_it(tmp_path: Path) -> None:
    (wheel,) = WHEELS.glob("agentcop_runtime-*.whl")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    program = Program(folder=tmp_path, environment={"AGENTCOP_ENABLED": "neither"})
    pip = ["-m", "pip", "-q", "--disable-pip-version-check"]

    assert program.run("-c", "pass", python=python).returncode == 0
    assert program.run(*pip, "install", "--no-deps", "--no-index", wheel, python=python).returncode == 0
    assert program.run("-c", "pass", python=python).returncode == 78
    assert program.run(*pip, "uninstall", "--yes", "agentcop-runtime", python=python).returncode == 0
    assert program.run("-c", "pass", python=python).returncode == 0
    assert list((tmp_path / "venv").rglob("agentcop*.pth")) == []
