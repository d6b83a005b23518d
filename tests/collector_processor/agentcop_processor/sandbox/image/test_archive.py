"""An image's id says what is in it: equal trees have equal ids, and nothing of this machine or this moment is in it."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

from agentcop_processor.sandbox.image.archive import write_archive
from agentcop_processor.sandbox.image.skeleton import put_certificates, put_skeleton
from agentcop_processor.sandbox.image.tree import Text, Tree
from sandbox_image import read_image

if TYPE_CHECKING:
    from pathlib import Path


def sample(folder: Path) -> Tree:
    folder.mkdir(exist_ok=True)
    program = folder / "python3"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o4755)
    authority = folder / "a.crt"
    authority.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
    tree = Tree()
    tree.put_file("/usr/bin/python3", program)
    put_skeleton(tree)
    put_certificates(tree, [authority])
    return tree


def test_the_id_is_the_hash_of_what_the_engine_is_told(tmp_path: Path) -> None:
    built = write_archive(sample(tmp_path / "a"), tmp_path / "image.tar", python="3.11.2", kind="plain")
    image = read_image(built.path)
    assert built.id == f"sha256:{hashlib.sha256(image.config_bytes).hexdigest()}"
    content = f"sha256:{hashlib.sha256(image.layer).hexdigest()}"
    assert image.config["rootfs"] == {"type": "layers", "diff_ids": [content]}
    assert image.config["config"]["Labels"]["agentcop.content"] == content
    assert [each.name for each in tmp_path.glob("*.layer")] == []


def test_the_same_files_give_the_same_bytes_whenever_and_wherever_they_were_made(tmp_path: Path) -> None:
    one = write_archive(sample(tmp_path / "a"), tmp_path / "one.tar", python="3.11.2", kind="plain")
    for file in (tmp_path / "a").iterdir():
        os.utime(file, (time.time() - 10**6,) * 2)
    other = write_archive(sample(tmp_path / "b"), tmp_path / "other.tar", python="3.11.2", kind="plain")
    assert one.path.read_bytes() == other.path.read_bytes()
    assert one.id == other.id


def test_another_byte_gives_another_id(tmp_path: Path) -> None:
    one = write_archive(sample(tmp_path / "a"), tmp_path / "one.tar", python="3.11.2", kind="plain")
    tree = sample(tmp_path / "a")
    tree.put("etc/more", Text(data=b"x"))
    assert write_archive(tree, tmp_path / "other.tar", python="3.11.2", kind="plain").id != one.id


def test_everything_is_roots_nothing_can_be_changed_and_nobody_has_a_shell(tmp_path: Path) -> None:
    built = write_archive(sample(tmp_path / "a"), tmp_path / "image.tar", python="3.11.2", kind="plain")
    image = read_image(built.path)
    members = image.members
    assert {(each.uid, each.gid, each.uname, each.mtime) for each in members.values()} == {(0, 0, "", 0)}
    assert [name for name, each in members.items() if not each.issym() and each.mode & 0o6022] == ["tmp"]
    assert members["tmp"].mode == 0o1777
    assert all("nologin" in line for line in image.texts["etc/passwd"].decode().splitlines())
    assert image.config["config"]["User"] == "65534:65534"
    assert list(members) == sorted(members)


def test_the_folders_that_a_box_mounts_on_are_there_with_their_parents(tmp_path: Path) -> None:
    built = write_archive(sample(tmp_path / "a"), tmp_path / "image.tar", python="3.11.2", kind="plain")
    folders = {name for name, each in read_image(built.path).members.items() if each.isdir()}
    assert {"agentcop", "agentcop/inside", "agentcop/egress", "proc", "tmp", "usr", "usr/bin"} <= folders
