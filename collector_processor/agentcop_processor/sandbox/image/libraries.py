"""The shared libraries that programs of this machine need, as its own loader finds them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.image import CannotBuild

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAGIC: Final = b"\x7fELF"
_AT_ONCE: Final = 100
_SECONDS: Final = 120.0
_FOUND: Final = re.compile(r"^\s+(?:\S+ => )?(?P<path>/\S[^(]*?) \(0x[0-9a-f]+\)$")
_ABSENT: Final = re.compile(r"^\s+(?P<name>\S+) => not found$")
_BY_NAME: Final = ("libgcc_s.so.1",)
"""Opened by name when a thread ends, so that no program lists it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Libraries:
    """What programs need beside themselves."""

    found: frozenset[Path]
    """Where the loader looks for them, links not resolved."""
    absent: frozenset[str]
    """Names that it found nothing for; some are brought by a package that opens them itself."""
    folder: Path
    """Where the C library is: the loader looks there without being told."""


def is_program(path: Path) -> bool:
    """Whether a file is ELF, executable or library."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def find_libraries(programs: Sequence[Path]) -> Libraries:
    """All libraries of `programs`. Blocks; raises CannotBuild."""
    ldd = shutil.which("ldd")
    if ldd is None:
        raise CannotBuild("there is no ldd here, which tells what a Python needs: install it (Debian: libc-bin)")
    found: set[Path] = set()
    absent: set[str] = set()
    for start in range(0, len(programs), _AT_ONCE):
        # One that is linked statically makes ldd's exit code 1, and is said to be so in a line that matches nothing.
        try:
            answer = subprocess.run(  # noqa: S603 -- the loader, on files of the environment that is asked for
                [ldd, *map(str, programs[start : start + _AT_ONCE])],
                capture_output=True,
                encoding="utf-8",
                errors="surrogateescape",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CannotBuild(f"ldd does not tell what a Python needs: {error}") from error
        said = read_ldd(answer.stdout)
        found |= said[0]
        absent |= said[1]
    libc = next((path for path in sorted(found) if path.name.startswith(("libc.so", "libc.musl"))), None)
    if libc is None:
        raise CannotBuild("ldd does not say where the C library is")
    found |= {libc.with_name(name) for name in _BY_NAME if libc.with_name(name).exists()}
    return Libraries(found=frozenset(found), absent=frozenset(absent), folder=libc.parent)


def read_ldd(text: str) -> tuple[set[Path], set[str]]:
    """Paths that the loader names, without `..` in them, and names that it found nothing for."""
    found: set[Path] = set()
    absent: set[str] = set()
    for line in text.splitlines():
        if match := _FOUND.match(line):
            found.add(Path(os.path.normpath(match["path"])))
        elif match := _ABSENT.match(line):
            absent.add(match["name"])
    return found, absent
