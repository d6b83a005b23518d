"""Environments that cannot live together: each is made if need be, run by an interpreter of its own, and merged."""

from __future__ import annotations

import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fault_matrix.adapters import HARNESSES
from tests.fault_matrix.report import read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.fault_matrix.report import Cell

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = tuple(dict.fromkeys(harness.environment for harness in HARNESSES))
"""Named as in `framework_venv` of scripts/_environment.sh, which knows what is in them."""
_AT_ONCE = 2
_MODULE = "tests.fault_matrix"
_MAKE = '. scripts/_environment.sh; framework_venv "$1" >&2 && printf %s "$venv"'


def everywhere(say: Callable[[str], object], only: Sequence[str] = ()) -> list[Cell]:
    """The cells of all environments; `only`: arguments that choose some of them.

    Raises RuntimeError where an environment could not be made, or ended early.
    """
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(_AT_ONCE) as pool:
        made = [(name, _python(name)) for name in ENVIRONMENTS]
        running = [pool.submit(_run, name, [python, "-m", _MODULE, *only], Path(folder), say) for name, python in made]
        return read_json(each.result() for each in running)


def _python(name: str) -> str:
    """The interpreter of an environment, which is made first if it is not there."""
    done = subprocess.run(["bash", "-c", _MAKE, "make", name], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        message = f"the environment {name} could not be made"
        raise RuntimeError(message)
    return f"{done.stdout}/bin/python"


def _run(name: str, command: Sequence[str], folder: Path, say: Callable[[str], object]) -> Path:
    path = folder / f"{name}.json"
    arguments = ["--here", name, "--json", str(path)]
    with subprocess.Popen(
        [*command, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        for line in running.stderr or ():
            say(f"{name}: {line.rstrip()}")
    if not path.exists():
        message = f"{name} ended early, with exit code {running.returncode}"
        raise RuntimeError(message)
    return path
