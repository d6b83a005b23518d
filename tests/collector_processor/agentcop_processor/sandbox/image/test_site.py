"""Of an environment's packages the image gets what is imported: no secret, no way out of it, no credential."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.image import CannotBuild
from agentcop_processor.sandbox.image.site import Packages, put_packages
from agentcop_processor.sandbox.image.tree import Text, Tree

if TYPE_CHECKING:
    from pathlib import Path

AT = "opt/venv/site"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site-packages"
    write(folder, "package/__init__.py", "package-1.0.dist-info/METADATA")
    return folder


def write(folder: Path, *names: str, text: str = "") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def taken(site: Path) -> tuple[Tree, Packages]:
    tree = Tree()
    return tree, put_packages(tree, (site,), AT)


def names(tree: Tree) -> set[str]:
    return {path.removeprefix(f"{AT}/") for path in tree.entries}


def text(tree: Tree, name: str) -> str:
    entry = tree.entries[f"{AT}/{name}"]
    assert isinstance(entry, Text)
    return entry.data.decode()


def test_modules_and_what_lies_beside_them_are_taken(site: Path) -> None:
    write(site, "package/data.json", "package/.libs/libz.so", "certifi/cacert.pem")
    tree, packages = taken(site)
    wanted = {"package/__init__.py", "package/data.json", "package/.libs/libz.so", "certifi/cacert.pem"}
    assert names(tree) == {*wanted, "package-1.0.dist-info/METADATA"}
    assert (packages.count, packages.left, packages.sources) == (1, 0, ())


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        "package/.env",
        "package/.env.production",
        "package/prod.env",
        "package/.git/config",
        ".netrc",
        "package/.pypirc",
        "package/id_ed25519",
        "package/__pycache__/x.cpython-311.pyc",
        "old.pyc",
        ".cache/pip/x",
        "pip/__init__.py",
        "pip-24.0.dist-info/METADATA",
        "agentcop.pth",
        "agentcop-boot.start",
    ],
)
def test_secrets_caches_and_what_arms_a_process_stay_here(site: Path, name: str) -> None:
    write(site, name, text="secret")
    tree, packages = taken(site)
    assert names(tree) == {"package/__init__.py", "package-1.0.dist-info/METADATA"}
    assert packages.left >= 1


def test_a_link_to_a_secret_is_not_followed(site: Path, tmp_path: Path) -> None:
    write(tmp_path, "home/.ssh/key", "home/.env", text="secret")
    (site / "package/key").symlink_to(tmp_path / "home/.ssh/key")
    (site / "package/settings").symlink_to(tmp_path / "home/.env")
    tree, packages = taken(site)
    assert "package/key" not in names(tree)
    assert "package/settings" not in names(tree)
    assert packages.left == 2


def test_where_a_package_came_from_is_kept_without_who_fetched_it(site: Path) -> None:
    origin = {"url": "https://me:hunter2@git.example/x.git?token=abc#egg", "vcs_info": {"vcs": "git", "commit_id": "1"}}
    write(site, "package-1.0.dist-info/direct_url.json", text=json.dumps(origin))
    tree, _ = taken(site)
    assert json.loads(text(tree, "package-1.0.dist-info/direct_url.json")) == {
        "url": "https://git.example/x.git",
        "vcs_info": {"vcs": "git", "commit_id": "1"},
    }


@pytest.mark.parametrize(
    "broken", ["{", "[]", '{"url": 1}', '{"url": "http://["}', '{"url": "file:///home/me/project"}']
)
def test_an_origin_that_cannot_be_read_or_is_a_folder_of_this_machine_is_left_out(site: Path, broken: str) -> None:
    write(site, "package-1.0.dist-info/direct_url.json", text=broken)
    assert "package-1.0.dist-info/direct_url.json" not in names(taken(site)[0])


def test_the_source_of_an_editable_install_goes_with_it_and_nothing_hidden_in_it(site: Path, tmp_path: Path) -> None:
    project = tmp_path / "project/src"
    write(project, "mine/__init__.py", ".env", ".git/config", "mine/.secret", "node_modules/x.js", "venv/pyvenv.cfg")
    write(project, "mine.egg-info/PKG-INFO", "env/pyvenv.cfg", "env/lib/x.py")
    write(site, "_mine.pth", text=f"# a comment\n\n{project}\n")
    write(project, "secrets.json", "data/rows.csv", "notes/x.py", "mine/server.key", "mine/policy.yaml", "mine/state/x")
    write(project, "module.py", "mine/data.json", "space/inner/__init__.py")
    (project / "mine/outside").symlink_to("/etc/passwd")
    tree = Tree()
    packages = put_packages(tree, (site,), AT, {project / "mine/policy.yaml", project / "mine/state"})
    assert packages.sources == (project,)
    wanted = {"mine/__init__.py", "mine/data.json", "module.py", "space/inner/__init__.py"}
    assert {path for path in tree.entries if "editable/" in path} == {f"opt/editable/0/{each}" for each in wanted}
    assert text(tree, "agentcop-editable.pth") == "/opt/editable/0\n"
    assert "_mine.pth" not in names(tree)


def test_lines_of_a_path_file_that_stay_inside_are_kept(site: Path) -> None:
    write(site, "inner/x.py")
    write(site, "more.pth", text="inner\nimport os; x = 1\n/does/not/exist\n")
    tree, packages = taken(site)
    assert text(tree, "more.pth") == "inner\nimport os; x = 1\n"
    assert packages.sources == ()


def test_an_editable_install_by_an_import_hook_is_refused_with_the_way_out(site: Path) -> None:
    write(site, "__editable__.mine-1.0.pth", text="import __editable___mine_finder; __editable___mine_finder.install()")
    with pytest.raises(CannotBuild, match="install that project without -e"):
        taken(site)


def test_a_path_file_that_adds_everything_is_refused(site: Path) -> None:
    write(site, "all.pth", text="/\n")
    with pytest.raises(CannotBuild, match="more than packages"):
        taken(site)


def test_a_path_file_that_adds_the_home_folder_is_refused(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "people/me"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    write(site, "all.pth", text=f"{home.parent}\n")
    with pytest.raises(CannotBuild, match="more than packages"):
        taken(site)


@pytest.mark.parametrize("data", [b"/caf\xe9\n", b"a\0b\n"])
def test_a_path_file_that_is_no_text_is_refused(site: Path, data: bytes) -> None:
    (site / "odd.pth").write_bytes(data)
    with pytest.raises(CannotBuild, match="no text in UTF-8"):
        taken(site)
