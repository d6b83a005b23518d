"""What is going to be in an image: every path in its place, no right that a file had here, no link that leads out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.image.tree import File, Folder, Symlink, Text, Tree, merged, mode_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6"),
        ("bin/dash", "usr/bin/dash"),
        ("/usr/bin/python3", "usr/bin/python3"),
        ("/libexec/x", "libexec/x"),
        ("lib64", "lib64"),
        ("/opt/python/bin/../lib/libpython3.13.so", "opt/python/lib/libpython3.13.so"),
        ("../../etc/shadow", "etc/shadow"),
        ("//bin/sh", "usr/bin/sh"),
    ],
)
def test_the_top_folders_that_are_links_are_resolved(path: str, place: str) -> None:
    assert merged(path) == place


def test_a_packages_own_top_folder_does_not_take_the_place_of_the_link() -> None:
    tree = Tree()
    tree.put("lib64", Symlink(target="somewhere"))
    tree.put("bin", Folder())
    assert tree.entries == {}


def test_a_setuid_program_is_a_program_like_any(tmp_path: Path) -> None:
    program = tmp_path / "su"
    program.write_bytes(b"#!")
    program.chmod(0o6711)
    tree = Tree()
    tree.put_file("bin/su", program)
    entry = tree.entries["usr/bin/su"]
    assert entry == File(source=program, executable=True)
    assert mode_of(entry) == 0o755


def test_a_private_file_can_be_read_in_the_box_by_nobody(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("x = 1")
    file.chmod(0o600)
    tree = Tree()
    tree.put_file("m.py", file)
    assert mode_of(tree.entries["m.py"]) == 0o644


def test_links_inside_stay_and_links_outside_are_followed_to_a_file(tmp_path: Path) -> None:
    folder, other = tmp_path / "folder", tmp_path / "other"
    (folder / "sub").mkdir(parents=True)
    other.write_text("text")
    (folder / "a.so.1").write_text("library")
    (folder / "sub/a.so").symlink_to("../a.so.1")
    (folder / "out").symlink_to(other)
    (folder / "up").symlink_to("sub/../../other")
    tree = Tree()
    assert tree.put_folder("/opt/x", folder, lambda _, __: True) == 0
    assert tree.entries == {
        "opt/x/a.so.1": File(source=folder / "a.so.1"),
        "opt/x/sub/a.so": Symlink(target="../a.so.1"),
        "opt/x/out": File(source=other),
        "opt/x/up": File(source=other),
    }


def test_what_is_no_file_and_what_is_not_wanted_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "broken").symlink_to("/does/not/exist")
    (folder / "whole").symlink_to("/")
    (folder / ".env").write_text("TOKEN=x")
    tree = Tree()
    assert tree.put_folder("opt", folder, lambda inner, _: inner.name != ".env") == 4
    assert tree.entries == {}


def test_a_folder_of_two_sources_has_both(tmp_path: Path) -> None:
    tree = Tree()
    tree.put("tmp", Text(data=b""))
    tree.put("tmp", Folder(mode=0o1777))
    assert tree.entries == {"tmp": Text(data=b"")}
