"""Which command lines are left alone, read from what the interpreter was really given."""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import agentcop
from agentcop._arming.exempt import OWN, exempt_as

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
    assert exempt_as(command)


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
    assert not exempt_as(command)


@pytest.mark.parametrize("file", ["pip.py", "pip.pyc", "pip/__init__.py"])
def test_a_program_of_that_name_in_the_working_folder_is_not_exempt(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pip.conf").touch()
    (tmp_path / "venv").mkdir()
    assert exempt_as(["python", "-m", "pip"])
    assert exempt_as(["python", "-m", "venv", "venv"])
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).touch()
    assert not exempt_as(["python", "-m", "pip"])


@pytest.mark.parametrize("file", ["pip.py", "pip/__init__.py", f"pip{EXTENSION_SUFFIXES[0]}"])
@pytest.mark.parametrize("command", [["python", "-m", "pip"], ["python", f"{BIN}/pip"]], ids=["module", "script"])
def test_one_that_stands_on_pythonpath_in_place_of_the_tool_is_not_exempt(
    file: str, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'empty'}{os.pathsep}{tmp_path}")
    assert exempt_as(command) == "pip"
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).touch()
    assert exempt_as(command) == ""


def test_an_archive_on_pythonpath_may_hold_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app.zip").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "app.zip"))
    assert exempt_as(["python", "-m", "venv", "there"]) == ""


def test_our_own_command_is_exempt_where_pythonpath_is_how_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(agentcop.__file__).parents[1]))
    assert exempt_as(["python", "-m", "agentcop", "doctor"]) == OWN
