"""What a policy's `mounts` may show a box of the host, and what no box sees whatever a policy says."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from agentcop import AgentCop
from agentcop_processor.sandbox.boxes.outlets import Outlets
from agentcop_processor.sandbox.engine import EngineDown, Mount
from agentcop_processor.sandbox.parcel import Parcel
from agentcop_processor.sandbox.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

PARCEL = Parcel(module="tools", name="search")


def mounts(home: Path, *asked: str) -> tuple[Mount, ...]:
    return Outlets(home).mounts(Settings(network="none", mounts=asked), PARCEL)


def test_a_folder_is_mounted_by_where_its_links_lead(agentcop_home: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert mounts(agentcop_home, f"{tmp_path}/link:/data", f"{tmp_path}/data:/rw:rw") == (
        Mount(source=str(tmp_path / "data"), target="/data"),
        Mount(source=str(tmp_path / "data"), target="/rw", writable=True),
    )


@pytest.fixture
def cop(tmp_path: Path) -> AgentCop:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/policy.yaml").write_text("agent_id: a\ngate: {default: allow}\n", encoding="utf-8")
    os.link(tmp_path / "conf/policy.yaml", tmp_path / "another-name")
    (tmp_path / "link").symlink_to(tmp_path / "conf")
    return AgentCop(policy_file=tmp_path / "conf/policy.yaml")


@pytest.mark.parametrize("source", ["conf/policy.yaml", "conf", ".", "link", "conf/../conf", "another-name"])
def test_no_box_sees_a_policy_file_which_it_could_rewrite(cop: AgentCop, tmp_path: Path, source: str) -> None:
    with pytest.raises(EngineDown, match="no box may see"):
        mounts(tmp_path / "state", f"{tmp_path}/{source}:/data:rw")


def test_no_box_sees_the_state_folder_of_any_cop(cop: AgentCop, agentcop_home: Path, tmp_path: Path) -> None:
    agentcop_home.mkdir(exist_ok=True)
    (tmp_path / "to-state").symlink_to(agentcop_home)
    for source in (agentcop_home, agentcop_home.parent, tmp_path / "to-state"):
        with pytest.raises(EngineDown, match="no box may see"):
            mounts(tmp_path / "state", f"{source}:/data")


def test_no_box_sees_a_home_folder_and_one_in_it_is_mounted(
    agentcop_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "homes/me"
    (home / "data").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for source in (home, home.parent, home / "data/.."):
        with pytest.raises(EngineDown, match="home folder"):
            mounts(agentcop_home, f"{source}:/data")
    assert mounts(agentcop_home, f"{home}/data:/data")


@pytest.mark.parametrize("source", ["/", "/proc", "/proc/self", "/sys", "/sys/fs", "/dev", "/dev/shm", "/run"])
def test_no_box_sees_the_hosts_own_machinery(agentcop_home: Path, source: str) -> None:
    with pytest.raises(EngineDown, match=r"no box may see"):
        mounts(agentcop_home, f"{source}:/data")


def test_no_box_gets_a_socket_of_the_host(agentcop_home: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "any.sock"))
        with pytest.raises(EngineDown, match="socket"):
            mounts(agentcop_home, f"{tmp_path}/any.sock:/any.sock")


def test_what_is_not_there_is_said(agentcop_home: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineDown, match="does not exist"):
        mounts(agentcop_home, f"{tmp_path}/none:/data")
