"""`path.within` against every way round it that a folder rule has been walked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from agentcop_policies.when import path as path_rule
from agentcop_policies.when.cannot import CannotJudgeError

if TYPE_CHECKING:
    from pathlib import Path

UNCLEAR = "unclear"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy's folder, which is the working directory too: data/ with files and links, secrets/ beside it."""
    root = tmp_path.resolve()
    for folder in ("data/sub", "data2", "secrets", "elsewhere/deep"):
        (root / folder).mkdir(parents=True)
    for file in ("data/a.txt", "data2/b.txt", "secrets/key", "elsewhere/x", "data/sub/c.txt"):
        (root / file).write_text("x")
    (root / "data/out").symlink_to(root / "secrets")
    (root / "data/out_file").symlink_to("../secrets/key")
    (root / "data/in").symlink_to("sub")
    (root / "data/deep").symlink_to(root / "elsewhere/deep")
    (root / "data/nowhere").symlink_to(root / "secrets/new")
    (root / "data/loop").symlink_to("loop")
    (root / "data/proc").symlink_to("/proc/self")
    (root / "inward").symlink_to("data")
    monkeypatch.chdir(root)
    return root


def judge(path: str, home: Path, folder: str = "./data") -> bool | str:
    try:
        return path_rule.within(path, folder, base=home)
    except CannotJudgeError:
        return UNCLEAR


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data/a.txt", True),
        ("./data/a.txt", True),
        ("data", True),
        ("data/", True),
        ("data//a.txt", True),
        ("data/./sub/../a.txt", True),
        ("data/new.txt", True),
        ("data/new/folder/new.txt", True),
        ("data/in/c.txt", True),
        ("inward/a.txt", True),
        ("data/naïve résumé.txt", True),
        ("data/...", True),
        ("data2/b.txt", False),
        ("data.txt", False),
        (".", False),
        ("..", False),
        ("/", False),
        ("//etc/passwd", False),
        ("/etc/passwd", False),
        ("data/../secrets/key", False),
        ("data/sub/../../secrets/key", False),
        ("/tmp/../etc/shadow", False),
        ("data/out/key", False),
        ("data/out/new", False),
        ("data/out_file", False),
        ("data/nowhere", False),
        ("DATA/a.txt", False),
        ("data/out/../sub/c.txt", UNCLEAR),
        ("data/deep/../x", UNCLEAR),
        ("data/missing/../a.txt", UNCLEAR),
        ("data/missing/../../secrets/key", UNCLEAR),
        ("data/a.txt/../../secrets/key", False),
        ("data/a.txt/x", UNCLEAR),
        ("data/loop", UNCLEAR),
        ("data/loop/x", UNCLEAR),
        ("", UNCLEAR),
        (" data/a.txt", UNCLEAR),
        ("data/a.txt\n", UNCLEAR),
        ("data/a.txt\0", UNCLEAR),
        ("data/a\0/../../secrets/key", UNCLEAR),
        ("data/\u202ea.txt", UNCLEAR),
        ("data/\u200b../secrets", UNCLEAR),
        ("~", UNCLEAR),
        ("~/data/a.txt", UNCLEAR),
        ("~root/x", UNCLEAR),
        ("data/$HOME", UNCLEAR),
        ("${PWD}/data/a.txt", UNCLEAR),
        ("data/%2e%2e/secrets/key", UNCLEAR),
        ("data%2Fa.txt", UNCLEAR),
        ("data/%252e%252e/x", UNCLEAR),
        ("data\\..\\secrets", UNCLEAR),
        ("C:\\data\\a.txt", UNCLEAR),
        ("C:/data/a.txt", UNCLEAR),
        ("\\\\server\\data", UNCLEAR),
        ("file:///etc/passwd", UNCLEAR),
        ("file:data/a.txt", UNCLEAR),
        ("FILE:///etc/passwd", UNCLEAR),
        ("http://example.com/data", UNCLEAR),
        ("data/\uff0e\uff0e/secrets/key", UNCLEAR),
        ("data\uff0fa.txt", UNCLEAR),
        ("data/\u2025/secrets", UNCLEAR),
        ("/proc/self/root/etc/passwd", UNCLEAR),
        ("/proc/self/cwd/data/a.txt", UNCLEAR),
        ("/proc/1/root/etc/passwd", UNCLEAR),
        ("/tmp/../proc/self/environ", UNCLEAR),
        ("data/proc/cwd/data/a.txt", UNCLEAR),
        ("/dev/fd/3", UNCLEAR),
        ("data/" + "x" * 300, UNCLEAR),
        ("x/" * 3000, UNCLEAR),
    ],
)
def test_a_path_is_within_the_folder_only_where_every_reading_says_so(
    path: str, expected: bool | str, home: Path
) -> None:
    assert judge(path, home) == expected


def test_the_absolute_path_of_a_file_inside_is_within(home: Path) -> None:
    assert judge(str(home / "data/a.txt"), home) is True
    assert judge(str(home / "data/../secrets/key"), home) is False


def test_a_relative_path_starts_at_the_working_directory_and_the_folder_at_the_policy(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home / "elsewhere")

    assert judge("data/a.txt", home) is False
    assert judge("../data/a.txt", home) is True
    monkeypatch.chdir(home / "data")
    assert judge("a.txt", home) is True


def test_a_folder_that_is_a_link_is_the_folder_it_leads_to(home: Path) -> None:
    assert judge("data/a.txt", home, "inward") is True
    assert judge("inward/a.txt", home, str(home / "data")) is True


def test_a_folder_reached_by_another_name_is_the_same_folder(home: Path) -> None:
    # What a bind mount or a case-insensitive disk does: two names, one inode.
    target, folder = os.fspath(home / "data/sub/c.txt"), os.fspath(home / "data/in")

    assert path_rule._is_inside_by_identity(target, folder) is True  # noqa: SLF001 -- a second mount needs root
    assert path_rule._is_inside_by_identity(os.fspath(home / "secrets/key"), folder) is False  # noqa: SLF001 -- a second mount needs root


def test_a_folder_that_does_not_exist_yet_holds_what_will_be_written_there(home: Path) -> None:
    assert judge("reports/may.txt", home, "./reports") is True
    assert judge("data/a.txt", home, "./reports") is False


def test_the_verdict_is_about_its_own_moment_so_a_later_swap_is_not_seen(home: Path) -> None:
    target = home / "data/sub"
    assert judge("data/sub/c.txt", home) is True

    (target / "c.txt").unlink()
    target.rmdir()
    target.symlink_to(home / "secrets")

    assert judge("data/sub/key", home) is False


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may look into every folder")
def test_a_folder_that_cannot_be_looked_into_has_no_answer(home: Path) -> None:
    (home / "data").chmod(0)
    try:
        assert judge("data/sub/c.txt", home) == UNCLEAR
    finally:
        (home / "data").chmod(0o700)


@pytest.mark.parametrize("folder", ["", " ", "~/data", "$HOME", "${DATA}/x", "a\0b"])
def test_a_folder_that_means_nothing_certain_is_a_problem_at_load(folder: str) -> None:
    assert path_rule.folder_problem(folder)


@pytest.mark.parametrize("folder", [".", "./data", "../shared", "/srv/data", "naïve"])
def test_a_plain_folder_is_no_problem(folder: str) -> None:
    assert path_rule.folder_problem(folder) == ""


def test_no_reason_repeats_the_path(home: Path) -> None:
    for path in ("~/hunter2", "file:hunter2", "hunter2\0", "data/missing/../hunter2", "/proc/hunter2", " hunter2"):
        with pytest.raises(CannotJudgeError) as caught:
            path_rule.within(path, "./data", base=home)
        assert "hunter2" not in str(caught.value)
