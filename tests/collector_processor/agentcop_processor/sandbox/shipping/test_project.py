"""Of a project a box has the packages that the tool needs, and nothing in them that no tool should see."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentcop import AgentCop
from agentcop_processor.sandbox.parcel import NotShippable, Parcel
from agentcop_processor.sandbox.shipping import project as projects
from agentcop_processor.sandbox.shipping import ship_function
from parcels import opened, run_parcel

if TYPE_CHECKING:
    from parcels import Project


@pytest.fixture
def shop(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # it would be more of the package, and newly changed
    project.write("shop/__init__.py")
    project.write("shop/tools.py", "from .deep.inner import twice\ndef total(x): return twice(x)\n")
    project.write("shop/deep/__init__.py")
    project.write("shop/deep/inner.py", "def twice(x): return 2 * x\n")
    project.write("shop/data/rows.txt", "rows")
    return project


def parcel_of(shop: Project) -> Parcel:
    return ship_function(shop.load("shop.tools").total)


def seen(parcel: Parcel, box: Path) -> set[str]:
    """Every file that the box has of the project, by its path in there."""
    box.mkdir(exist_ok=True)
    root = opened(parcel, box) / "project/0"
    return {
        str(Path(folder, name).relative_to(root))
        for folder, _, names in os.walk(root, followlinks=True)
        for name in names
        if Path(folder, name).exists() and not name.endswith(".pyc")
    }


ALL = {"shop/__init__.py", "shop/tools.py", "shop/deep/__init__.py", "shop/deep/inner.py", "shop/data/rows.txt"}


def test_a_package_without_secrets_is_one_mount(shop: Project, box: Path) -> None:
    parcel = parcel_of(shop)
    assert [mount.target for mount in parcel.mounts] == ["/project/0/shop"]
    assert seen(parcel, box) == ALL


@pytest.mark.parametrize(
    "path",
    [
        "shop/.env",
        "shop/.env.local",
        "shop/deep/.git/config",
        "shop/deep/.hidden/x.py",
        "shop/data/prod.env",
        "shop/data/server.PEM",
        "shop/data/server.key",
        "shop/data/id_rsa",
        "shop/data/id_ed25519.bak",
        "shop/data/store.p12",
        "shop/data/credentials.json",
        "shop/data/prod-secrets.yaml",
        "shop/data/service-account.json",
        "shop/data/main.tfstate",
        "shop/data/AuthKey_1.p8",
        "shop/data/kubeconfig",
        "shop/data/token.json",
    ],
)
def test_dot_files_and_keys_are_not_in_the_box_and_all_else_is(shop: Project, box: Path, path: str) -> None:
    shop.write(path, "secret")
    parcel = parcel_of(shop)
    assert run_parcel(parcel, box / "run", 2) == 4
    assert seen(parcel, box / "seen") == ALL


def test_the_root_is_no_mount_and_what_lies_beside_the_package_is_not_in_the_box(shop: Project, box: Path) -> None:
    shop.write(".env", "secret")
    shop.write("notes.txt", "secret")
    shop.write("other/__init__.py")
    assert seen(parcel_of(shop), box) == ALL


def test_the_policy_file_and_the_state_folder_are_not_in_the_box(
    shop: Project, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = shop.write("shop/data/policy.yaml", "agent_id: a\nmode: enforce\ngate: {default: allow}\n")
    os.link(policy, shop.root / "shop/data/same.yaml")
    (shop.root / "shop/linked.yaml").symlink_to("data/policy.yaml")
    monkeypatch.setenv("AGENTCOP_HOME", str(shop.root / "shop/state"))
    cop = AgentCop(agent_id="a", policy_file=policy)
    assert (shop.root / "shop/state").is_dir()
    assert seen(parcel_of(shop), box) == ALL
    assert cop.gate_log.is_relative_to(shop.root / "shop/state")


def test_a_link_to_something_hidden_leads_nowhere(shop: Project, box: Path) -> None:
    shop.write("shop/.env", "secret")
    shop.write("outside.txt", "secret")
    (shop.root / "shop/settings.txt").symlink_to(".env")
    (shop.root / "shop/far.txt").symlink_to("../outside.txt")
    (shop.root / "shop/rows.txt").symlink_to("data/rows.txt")
    assert seen(parcel_of(shop), box) == ALL | {"shop/rows.txt"}


def test_a_module_that_is_a_link_to_something_hidden_is_no_mount(project: Project) -> None:
    hidden = project.write(".hidden.py", "def total(x): return x\n")
    (project.root / "linked.py").symlink_to(hidden)
    assert ship_function(project.load("linked").total).mounts == ()


def test_nor_is_one_that_lies_in_the_state_folder(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTCOP_HOME", str(project.root / "state"))
    cop = AgentCop(agent_id="a", policy_file=project.write("policy.yaml", "agent_id: a\ngate: {default: allow}\n"))
    (project.root / "kept.py").symlink_to(project.write("state/kept.py", "def total(x): return x\n"))
    assert ship_function(project.load("kept").total).mounts == ()
    assert cop.gate_log.is_relative_to(project.root / "state")


def folders_of(shop: Project) -> list[Path]:
    return [shop.root / "shop", *(path for path in (shop.root / "shop").rglob("*") if path.is_dir())]


def test_a_file_that_becomes_a_policy_leaves_a_package_that_was_looked_through_before(shop: Project, box: Path) -> None:
    tool = shop.load("shop.tools").total
    policy = shop.write("shop/data/policy.yaml", "agent_id: a\nmode: enforce\ngate: {default: allow}\n")
    for folder in folders_of(shop):
        os.utime(folder, (1_000_000, 1_000_000))
    assert seen(ship_function(tool), box / "before") == ALL | {"shop/data/policy.yaml"}
    cop = AgentCop(agent_id="a", policy_file=policy)
    assert seen(ship_function(tool), box / "after") == ALL
    assert cop.agent_id == "a"


def test_a_folder_that_has_just_changed_is_looked_through_again_whatever_its_time(shop: Project, box: Path) -> None:
    tool = shop.load("shop.tools").total
    before = {folder: folder.stat().st_mtime_ns for folder in folders_of(shop)}
    assert seen(ship_function(tool), box / "before") == ALL
    shop.write("shop/data/prod.env", "secret")
    for folder, changed in before.items():
        os.utime(folder, ns=(changed, changed))
    assert seen(ship_function(tool), box / "after") == ALL


def test_a_socket_is_not_in_the_box(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.root / "shop")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("data.sock")
        parcel = parcel_of(shop)
    assert "/project/0/shop" not in {mount.target for mount in parcel.mounts}
    assert "/project/0/shop/data.sock" not in {mount.target for mount in parcel.mounts}


def test_what_is_put_there_later_is_seen_by_the_next_parcel(shop: Project, box: Path) -> None:
    folder = shop.root / "shop/deep"
    assert len(parcel_of(shop).mounts) == 1
    for each in (folder, folder.parent, folder.parent / "data"):
        os.utime(each, (1, 1))  # an hour ago, for all that the folder tells
    assert len(parcel_of(shop).mounts) == 1
    shop.write("shop/deep/.env", "secret")
    assert seen(parcel_of(shop), box) == ALL


def test_a_package_is_not_walked_again_while_it_does_not_change(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in ("shop", "shop/deep", "shop/data"):
        os.utime(shop.root / each, (1, 1))
    first = parcel_of(shop)
    monkeypatch.setattr(projects, "MAX_ENTRIES", 0)
    assert parcel_of(shop) == first


def test_a_package_that_is_too_large_is_refused_with_the_way_out(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects, "MAX_ENTRIES", 3)
    with pytest.raises(NotShippable, match=r"its package shop holds more than 3 files.*Way out: keep data out of it"):
        parcel_of(shop)


def test_too_many_mounts_are_refused_with_the_way_out(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "MAX_MOUNTS", 3)
    assert len(parcel_of(shop).mounts) == 1
    shop.write("shop/deep/.env")
    with pytest.raises(NotShippable, match=r"would need 5 mounts, and 3 is the most.*Way out: move dot-files and keys"):
        parcel_of(shop)


def test_a_package_that_holds_the_home_folder_is_refused(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(shop.root / "shop/data"))
    with pytest.raises(NotShippable, match="shop holds the home folder"):
        parcel_of(shop)


def test_a_module_that_a_function_imports_later_is_there(project: Project, box: Path) -> None:
    project.write("later/__init__.py", "THREE = 3")
    project.write("tools.py", "def tool(x):\n    from later import THREE\n    return x * THREE\n")
    parcel = ship_function(project.load("tools").tool)
    assert {mount.target for mount in parcel.mounts} == {"/project/0/later", "/project/0/tools.py"}
    assert run_parcel(parcel, box, 2) == 6


def test_a_package_in_several_places_is_mounted_where_the_tool_is(project: Project, box: Path) -> None:
    project.write("spread/tools.py", "def tool(x): return x + 1\n")  # no __init__: a namespace
    parcel = ship_function(project.load("spread.tools").tool)
    assert [mount.target for mount in parcel.mounts] == ["/project/0/spread"]
    assert run_parcel(parcel, box, 2) == 3
