"""The pre-commit hook, run by pre-commit itself on a repository of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scanning import CLEAN, git, write

ROOT = Path(__file__).resolve().parents[2]
EXECUTED = """\
import os

from langchain_core.tools import tool


@tool
def run(command: str) -> int:
    return os.system(command)
"""


@pytest.mark.hooks
def test_a_commit_with_a_critical_finding_is_refused_and_a_clean_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    write(clean=CLEAN)
    git("add", "-A")
    clean = hook()
    write(poor=EXECUTED)
    git("add", "-A")
    poor = hook()

    assert clean.returncode == 0, clean.stdout
    assert "agentcop scan" in clean.stdout
    assert poor.returncode == 1, poor.stdout
    assert "agents/poor.py" in poor.stdout
    assert "CRITICAL" in poor.stdout


def hook() -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PRE_COMMIT_HOME": str(ROOT / ".cache/pre-commit")}
    command = [sys.executable, "-m", "pre_commit", "try-repo", str(ROOT), "agentcop-scan", "--verbose"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
