"""Which Python a command is, or is a script of."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop._arming.exempt import started

if TYPE_CHECKING:
    from collections.abc import Sequence

_PYTHON: Final = re.compile(r"(python|pypy)[0-9.]*t?(\.exe)?")
_SHEBANG_BYTES: Final = 512


def interpreter_of(program: str, command: Sequence[str]) -> list[str] | None:
    """The interpreter that `command` (whose first word is found at `program`) runs, with its options; None if none.

    Reads the first line of a script. A shell script that starts Python is not looked into.
    """
    if _PYTHON.fullmatch(Path(program).name):
        return [program, *started(command)[2]]
    words = _shebang(program)
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    if not words or not _PYTHON.fullmatch(Path(words[0]).name):
        return None
    found = shutil.which(words[0])
    return [found or words[0], *words[1:]]


def _shebang(program: str) -> list[str]:
    try:
        with Path(program).open("rb") as file:
            line = file.readline(_SHEBANG_BYTES)
    except OSError:
        return []
    return line[2:].decode("utf-8", "replace").split() if line.startswith(b"#!") else []
