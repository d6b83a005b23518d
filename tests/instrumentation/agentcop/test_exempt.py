"""Which command lines are left alone, read from what the interpreter was really given."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agentcop._exempt import is_exempt

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["python", "-m", "pip", "install", "x"],
        ["python", "-mpip"],
        ["python", "-Im", "agentcop", "gate", "log"],
        ["python", "-W", "error", "-X", "utf8", "-m", "venv", "there"],
        ["python", "-Werror", "-Ximporttime", "-m", "ensurepip"],
        ["python", "--check-hash-based-pycs", "always", "-m", "pip"],
        ["python", f"{BIN}/agentcop", "policy", "test"],
        ["python", "-I", f"{BIN}/pip3.11", "list"],
    ],
    ids=" ".join,
)
def test_exempt(command: list[str]) -> None:
    assert is_exempt(command)


@pytest.mark.parametrize(
    "command",
    [
        ["python"],
        ["python", "-"],
        ["python", "-", "-m", "pip"],
        ["python", "-c", "pass", "-m", "pip"],
        ["python", "-cpass"],
        ["python", "agent.py", "-m", "pip"],
        ["python", "-W", "-m", "pip"],
        ["python", "-m", "agentcop_clone"],
        ["python", "-m", "pytest", "-m", "pip"],
        ["python", "/somewhere/else/pip"],
        ["python", f"{BIN}/agentcop-agent"],
        ["python", f"{BIN}/pytest"],
        ["python", f"{BIN}"],
    ],
    ids=" ".join,
)
def test_not_exempt(command: list[str]) -> None:
    assert not is_exempt(command)


@pytest.mark.parametrize("file", ["pip.py", "pip.pyc", "pip/__init__.py"])
def test_a_program_of_that_name_in_the_working_folder_is_not_exempt(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pip.conf").touch()
    (tmp_path / "venv").mkdir()
    assert is_exempt(["python", "-m", "pip"])
    assert is_exempt(["python", "-m", "venv", "venv"])
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).touch()
    assert not is_exempt(["python", "-m", "pip"])
