"""What a policy's `mounts` may show a box of the host, and what no box sees whatever a policy says."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentcop import AgentCop
from agentcop_processor.sandbox.boxes.outlets import Outlets
from agentcop_processor.sandbox.engine import EngineDown, Mount
from agentcop_processor.sandbox.parcel import Parcel
from agentcop_processor.sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.mark.parametrize("source", ["x" * 300, "loop/data"])
def test_what_cannot_be_looked_at_is_said(agentcop_home: Path, tmp_path: Path, source: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(EngineDown, match="cannot be looked at"):
        mounts(agentcop_home, f"{tmp_path}/{source}:/data")


NOW = [0.0]


@pytest.fixture
def outlets(agentcop_home: Path) -> Iterator[Outlets]:
    made = Outlets(agentcop_home, clock=lambda: NOW[0])
    NOW[0] = 0.0
    yield made
    made.close()


def way_out(outlets: Outlets, timeout: float) -> Path:
    """The folder of the proxy that boxes of these settings get."""
    egress = outlets.way_out(Settings(timeout=timeout))
    assert egress is not None
    return Path(egress.mount.source)


def test_a_proxy_that_no_policy_asks_for_any_more_is_stopped_once_no_call_can_need_it(outlets: Outlets) -> None:
    old, kept = way_out(outlets, 10.0), way_out(outlets, 2_000.0)
    NOW[0] = 905.0
    assert way_out(outlets, 10.0) == old
    NOW[0] = 1_820.0
    new = way_out(outlets, 30.0)
    assert (old.exists(), kept.exists(), new.exists()) == (False, True, True)
    assert way_out(outlets, 10.0).exists()


def test_a_proxy_that_has_ended_is_replaced(outlets: Outlets) -> None:
    first = way_out(outlets, 10.0)
    for egress, _ in outlets._proxies.values():  # noqa: SLF001 -- as by a fault of its own
        egress.close()
    second = way_out(outlets, 10.0)
    assert (first.exists(), second.exists(), first != second) == (False, True, True)


def test_a_proxy_that_finds_no_room_for_its_thread_is_a_refusal_and_leaves_nothing(
    outlets: Outlets, agentcop_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_room)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(EngineDown, match="can't start new thread"):
        way_out(outlets, 10.0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert list((agentcop_home / "sandbox").iterdir()) == []


OWN = ["/", "/tmp", "/var", "/var/tmp/", "/dev/shm", "/proc/1", "/sys", "/agentcop", "/agentcop/inside/x"]


@pytest.mark.parametrize("target", [*OWN, "/data/../agentcop/egress", "data"])
def test_nothing_of_the_hosts_stands_where_a_box_has_its_own_or_is_emptied_after_each_call(
    agentcop_home: Path, tmp_path: Path, target: str
) -> None:
    with pytest.raises(EngineDown, match="nothing can be mounted at"):
        mounts(agentcop_home, f"{tmp_path}:{target}:rw")
    assert mounts(agentcop_home, f"{tmp_path}:/var/tmp/deeper:rw", f"{tmp_path}:/tmp/data")


def test_no_tool_may_exchange_what_the_next_box_is_to_see(agentcop_home: Path, tmp_path: Path) -> None:
    (tmp_path / "data/sub").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "to-sub").symlink_to(tmp_path / "data/sub")
    writable = f"{tmp_path}/data:/data:rw"
    for source in ("data/sub", "to-sub"):
        with pytest.raises(EngineDown, match="can exchange"):
            mounts(agentcop_home, writable, f"{tmp_path}/{source}:/sub")
    (tmp_path / "data/sub").rmdir()
    (tmp_path / "data/sub").symlink_to(tmp_path / "other")
    with pytest.raises(EngineDown, match="can exchange"):
        mounts(agentcop_home, writable, f"{tmp_path}/data/sub:/sub")
    assert mounts(agentcop_home, writable, f"{tmp_path}/other:/sub", f"{tmp_path}/data:/same")


def test_no_tool_may_change_code_that_this_process_has_loaded(agentcop_home: Path, tmp_path: Path) -> None:
    (tmp_path / "app/data").mkdir(parents=True)
    mount = Mount(source=str(tmp_path / "app"), target="/project/0/app")
    parcel = Parcel(module="app.tools", name="search", mounts=(mount,))
    for source in (tmp_path / "app", tmp_path):
        settings = Settings(network="none", mounts=(f"{source}:/work:rw",))
        with pytest.raises(EngineDown, match=r"can exchange|own code"):
            Outlets(agentcop_home).mounts(settings, parcel)
    inner = Settings(network="none", mounts=(f"{tmp_path}/app/data:/work:rw",))
    assert len(Outlets(agentcop_home).mounts(inner, parcel)) == 2
