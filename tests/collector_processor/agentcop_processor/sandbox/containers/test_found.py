"""Engines are found where they listen; who names none that can be used is told why, and what to do."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from agentcop_processor.sandbox.containers.found import found
from agentcop_processor.sandbox.containers.profile import profile_for
from agentcop_processor.sandbox.containers.sockets import places, socket_behind
from agentcop_processor.sandbox.engine import EngineDown
from agentcop_processor.sandbox.engines.owner import is_dead, owner


def test_an_address_that_is_no_unix_socket_is_refused_with_the_reason() -> None:
    tried = dict(places({"DOCKER_HOST": "tcp://10.0.0.1:2375", "CONTAINER_HOST": "ssh://me:secret@host/run"}))
    assert tried["DOCKER_HOST=tcp://…"] == "only a Unix socket of this machine can be used"
    assert tried["CONTAINER_HOST=ssh://…"] == "only a Unix socket of this machine can be used"
    assert "secret" not in "".join(tried)


def test_each_socket_is_tried_once_and_the_named_ones_first(tmp_path: Path) -> None:
    named = str(tmp_path / "docker.sock")
    (tmp_path / "again.sock").symlink_to(named)
    tried = [
        where
        for where, _ in places(
            {
                "DOCKER_HOST": f"unix://{named}",
                "CONTAINER_HOST": f"unix://{tmp_path}/again.sock",
                "XDG_RUNTIME_DIR": str(tmp_path),
            }
        )
    ]
    assert tried[0] == named
    assert str(tmp_path / "again.sock") not in tried
    assert tried.count(named) == 1


def test_a_file_that_leads_to_an_engine_is_known_by_whatever_path(tmp_path: Path) -> None:
    path = tmp_path / "run" / "docker.sock"
    path.parent.mkdir()
    environ = {"DOCKER_HOST": f"unix://{path}", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert socket_behind(str(path.parent), environ) == "", "there is no engine yet"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        (tmp_path / "link").symlink_to(path.parent)
        for source in (path, path.parent, tmp_path, tmp_path / "link"):
            assert socket_behind(str(source), environ) == str(path)
        (tmp_path / "beside").mkdir()
        assert socket_behind(str(tmp_path / "beside"), environ) == ""


def test_a_process_that_lives_is_not_dead_nor_is_one_that_cannot_be_seen_from_here() -> None:
    boot, namespace, pid, began = owner().split(":")
    for label in (owner(), f"{boot}:1:{pid}:1", "", "hello", f"{boot}:{namespace}:x:1", f":{namespace}:1:1"):
        assert not is_dead(label, running=False, age=1e6)
    assert is_dead(f"{boot}:{namespace}:{pid}:{int(began) + 1}", running=True, age=0)


def test_what_is_of_another_boot_is_dead_unless_it_runs_or_may_be_about_to() -> None:
    assert is_dead("other-boot:1:2:3", running=False, age=1e6)
    assert not is_dead("other-boot:1:2:3", running=True, age=1e6)
    assert not is_dead("other-boot:1:2:3", running=False, age=1.0)


def test_podman_gets_a_file_with_the_profile_whatever_was_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = Path(profile_for("podman"))
    assert path.parent == tmp_path / "agentcop"
    path.write_text("{}", encoding="utf-8")
    assert profile_for("podman") == str(path)
    assert path.read_text(encoding="utf-8") == profile_for("docker")
    assert list(path.parent.iterdir()) == [path]


def test_a_seccomp_profile_is_kept_where_nobody_else_can_change_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    profile_for("podman")
    (tmp_path / "agentcop").chmod(0o777)
    path = Path(profile_for("podman"))
    assert path.parent != tmp_path / "agentcop"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text(encoding="utf-8") == profile_for("docker")


def test_who_has_no_engine_is_told_what_was_tried_and_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(dead))
    environ = {"DOCKER_HOST": f"unix://{dead}", "CONTAINER_HOST": "tcp://10.0.0.1:1", "XDG_RUNTIME_DIR": str(tmp_path)}
    here = [each for each in places(environ) if "/run/docker" not in each[0] and "/run/podman" not in each[0]]
    monkeypatch.setattr("agentcop_processor.sandbox.containers.found.places", lambda _: iter(here))
    with pytest.raises(EngineDown) as down:
        found(environ)
    text = str(down.value)
    assert f"{dead}: nobody listens" in text
    assert "CONTAINER_HOST=tcp://…: only a Unix socket" in text
    assert f"{tmp_path}/docker.sock: not there" in text
    assert "apt-get install docker.io" in text
    assert "bubblewrap" in text
    assert "\n" not in text


def test_a_place_that_cannot_be_looked_at_is_a_reason_and_hides_no_other(tmp_path: Path) -> None:
    nobody_can = f"/{'x' * 300}"  # as where another user's runtime folder is left in the environment
    with pytest.raises(EngineDown, match="no container engine answers") as down:
        found({"DOCKER_HOST": f"unix://{tmp_path}/none.sock", "XDG_RUNTIME_DIR": nobody_can})
    assert f"{nobody_can}/docker.sock: File name too long" in str(down.value)
    assert f"{tmp_path}/none.sock: not there" in str(down.value)
