"""Byte code for every module in the image: nothing can be written beside them later, and compiling costs each call."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.image import CannotBuild

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentcop_processor.sandbox.image.tree import Tree

_PROCESSES: Final = 4
"""Always as many: what is shared between the constants of one process's modules shows in the bytes."""
_SECONDS: Final = 600.0
_PROGRAM: Final = """
import importlib.util, json, os, py_compile, sys
made = []
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
for number, source, place in json.load(sys.stdin):
    into = os.path.join(sys.argv[1], f"{number}.pyc")
    try:
        py_compile.compile(source, into, place, True, invalidation_mode=unchecked)
    except (py_compile.PyCompileError, ValueError, RecursionError, MemoryError):
        continue
    made.append((into, importlib.util.cache_from_source(place, optimization="")))
json.dump(made, sys.stdout)
"""
"""No checks at import: the files cannot change where they are. Modules that do not compile are left as text."""


def put_bytecode(tree: Tree, folder: Path, python: Sequence[str], environ: Mapping[str, str]) -> int:
    """Compile every `.py` of the tree with the interpreter that will run it; how many did not compile.

    `folder`: where the byte code is kept until the archive is written. Blocks for seconds; raises CannotBuild.
    """
    modules = [(path, source) for path, source in sorted(tree.files()) if path.endswith(".py")]
    jobs = [(number, str(source), f"/{path}") for number, (path, source) in enumerate(modules)]
    with ThreadPoolExecutor(_PROCESSES) as pool:
        parts = [jobs[part::_PROCESSES] for part in range(_PROCESSES)]
        answers = pool.map(lambda part: _compile(part, folder, python, environ), parts)
        made = [pair for answer in answers for pair in answer]
    for into, place in made:
        tree.put_file(place, Path(into))
    return len(jobs) - len(made)


def _compile(
    jobs: Sequence[tuple[int, str, str]], folder: Path, python: Sequence[str], environ: Mapping[str, str]
) -> list[tuple[str, str]]:
    command = [*python, "-S", "-B", "-X", "utf8", "-c", _PROGRAM, str(folder)]
    try:
        answer = subprocess.run(  # noqa: S603 -- the interpreter that the image is made of
            command,
            input=json.dumps(jobs),
            capture_output=True,
            encoding="utf-8",
            env={"PYTHONHASHSEED": "0", **environ},
            timeout=_SECONDS,
            check=True,
        )
        return [(into, place) for into, place in json.loads(answer.stdout)]
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines()[-1:] or [f"exit code {error.returncode}"]
        raise CannotBuild(f"the image's own Python cannot compile its modules: {last[0]}") from error
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise CannotBuild(f"the image's own Python cannot compile its modules: {error}") from error
