"""Which of Debian's packages are needed; without apt the answer is the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.image import CannotBuild
from agentcop_processor.sandbox.image.packages import ROOTS, download, find_packages, need_apt, read_needs
from agentcop_processor.sandbox.image.plain import build_plain, cache_folder

if TYPE_CHECKING:
    from pathlib import Path

STANZAS = """Package: python3.13-minimal
Version: 3.13.5-2
Depends: libpython3.13-minimal (= 3.13.5-2), libc6:amd64 (>= 2.38), libssl3t64 [amd64] | libssl3, zlib1g<!nozlib>
Pre-Depends: dpkg (>= 1.13.20), awk
Description: a line
 Depends: not-this-one

Package: dash
Pre-Depends: debianutils (>= 5.6-0.1), perl | perl5
"""


def test_what_a_package_needs_to_run_is_followed_and_what_installs_it_is_not() -> None:
    assert dict(read_needs(STANZAS)) == {
        "python3.13-minimal": ("libpython3.13-minimal", "libc6", "libssl3t64", "zlib1g"),
        "dash": (),
    }


def test_without_apt_the_refusal_names_the_containerfile_and_the_other_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotBuild, match=r"packaging/sandbox/Containerfile .*agentcop sandbox build --from-venv"):
        need_apt()
    with pytest.raises(CannotBuild, match="no apt-cache and no apt-get and no dpkg-deb"):
        build_plain(tmp_path)


def test_archives_are_kept_where_the_user_keeps_such(tmp_path: Path) -> None:
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "agentcop/image"
    assert cache_folder({}).parts[-3:] == (".cache", "agentcop", "image")


@pytest.mark.sandbox
def test_the_packages_are_few_and_each_has_a_checksum() -> None:
    packages = find_packages()
    names = {package.name for package in packages}
    assert set(ROOTS) <= names
    assert len(packages) < 60
    assert not names & {"dpkg", "perl-base", "openssl", "apt", "coreutils"}


@pytest.mark.sandbox
def test_a_package_that_apt_does_not_know_is_named_with_what_to_do() -> None:
    with pytest.raises(CannotBuild, match="apt knows no package agentcop-no-such: run apt-get update"):
        find_packages(("agentcop-no-such", "dash"))


@pytest.mark.sandbox
def test_a_package_that_was_changed_is_fetched_again(tmp_path: Path) -> None:
    (package,) = (each for each in find_packages(("netbase",)) if each.name == "netbase")
    (tmp_path / package.file).write_bytes(b"changed")
    download([package], tmp_path)
    assert (tmp_path / package.file).stat().st_size > 1000
    modified = (tmp_path / package.file).stat().st_mtime_ns
    download([package], tmp_path)
    assert (tmp_path / package.file).stat().st_mtime_ns == modified
