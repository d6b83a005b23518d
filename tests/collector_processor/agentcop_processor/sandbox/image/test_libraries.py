"""The loader's own answer says which libraries a program needs; what it could not find is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agentcop_processor.sandbox.image import CannotBuild, libraries
from agentcop_processor.sandbox.image.libraries import find_libraries, is_program, read_ldd

SAID = """\
/opt/python/bin/python3.13:
\tlinux-vdso.so.1 (0x00007ffd1a3f2000)
\tlibpython3.13.so.1.0 => /opt/python/bin/../lib/libpython3.13.so.1.0 (0x00007f1a2c000000)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f1a2be1f000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f1a2c7d0000)
\tlibcuda.so.1 => not found
/opt/a folder/x.so:
\tlibz.so.1 => /opt/a folder/libz.so.1 (0x00007f1a2be1f000)
/usr/bin/static:
\tstatically linked
/etc/passwd:
\tnot a dynamic executable
"""


def test_libraries_are_read_with_their_loader_and_those_that_are_missing() -> None:
    found, absent = read_ldd(SAID)
    assert found == {
        Path("/opt/python/lib/libpython3.13.so.1.0"),
        Path("/lib/x86_64-linux-gnu/libc.so.6"),
        Path("/lib64/ld-linux-x86-64.so.2"),
        Path("/opt/a folder/libz.so.1"),
    }
    assert absent == {"libcuda.so.1"}


def test_this_interpreters_libraries_are_found_and_the_c_library_among_them() -> None:
    these = find_libraries([Path(sys.executable).resolve()])
    assert any(path.parent == these.folder for path in these.found)
    assert all(path.is_file() for path in these.found)


def test_a_loader_that_does_not_answer_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ldd").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "ldd").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(libraries, "_SECONDS", 0.1)
    with pytest.raises(CannotBuild, match="ldd does not tell"):
        find_libraries([Path(sys.executable)])


def test_a_program_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh")
    assert is_program(Path(sys.executable).resolve())
    assert not is_program(script)
