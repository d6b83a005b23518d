"""The plain image, made of real packages: small, the same every time, made once, and whole or made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.image.plain import build_plain, python_of
from sandbox_image import Image, read_image

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_processor.sandbox.image.archive import Built

pytestmark = pytest.mark.sandbox

MOST_BYTES = 80_000_000
NOT_IN_IT = {"usr/bin/perl", "usr/bin/openssl", "usr/bin/dpkg", "usr/bin/apt", "usr/bin/su", "usr/bin/mount"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def built(cache: Path) -> Built:
    return build_plain(cache)[0]


@pytest.fixture(scope="module")
def image(built: Built) -> Image:
    return read_image(built.path)


def test_it_is_small_and_holds_python_a_shell_and_no_tool_to_change_a_system_with(built: Built, image: Image) -> None:
    assert built.size < MOST_BYTES
    assert {"usr/bin/python3", "usr/bin/sh", "etc/ssl/certs/ca-certificates.crt", "etc/os-release"} <= set(
        image.members
    )
    assert not NOT_IN_IT & set(image.members)


def test_no_file_is_setuid_or_can_be_written_and_every_licence_is_kept(image: Image) -> None:
    assert [path for path, each in image.members.items() if not each.issym() and each.mode & 0o6022] == ["tmp"]
    assert "usr/share/doc/libc6/copyright" in image.members
    assert not any(path.startswith("usr/share/man/") for path in image.members)


def test_every_module_is_compiled(image: Image) -> None:
    modules = {path for path in image.members if path.startswith("usr/lib/python3.") and path.endswith(".py")}
    compiled = {path for path in image.members if path.endswith(".pyc")}
    assert len(modules) > 500
    assert len(modules) - len(compiled) < 5


def test_another_machine_would_make_the_same_image(built: Built, tmp_path: Path) -> None:
    assert build_plain(tmp_path)[0].id == built.id


def test_it_is_made_once_and_its_packages_are_told(built: Built, cache: Path) -> None:
    said: list[str] = []
    again, packages = build_plain(cache, said.append)
    assert (again, said) == (built, [])
    assert python_of(packages).startswith("3.")


def test_an_archive_that_was_changed_is_made_again(built: Built, cache: Path) -> None:
    with built.path.open("r+b") as file:
        file.seek(built.path.stat().st_size // 2)
        file.write(b"changed")
    said: list[str] = []
    again, _ = build_plain(cache, said.append)
    assert said
    assert again.id == built.id
