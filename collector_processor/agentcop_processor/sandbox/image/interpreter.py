"""The interpreter that a virtual environment runs on: asked of itself, with none of the environment's code run."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentcop_processor.sandbox.image import CannotBuild

_SECONDS: Final = 60.0
_PROGRAM: Final = """
import json, os, platform, sys, sysconfig
base = {"base": sys.argv[1], "platbase": sys.argv[1]}
print(json.dumps({
    "version": platform.python_version(),
    "program": os.path.realpath(sys.executable),
    "stdlib": sorted({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}),
    "sites": sorted({sysconfig.get_path(name, "venv", base) for name in ("purelib", "platlib")}),
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python and the packages of one environment."""

    version: str
    """`3.12.1`."""
    program: Path
    """The real executable, which is copied."""
    stdlib: tuple[Path, ...]
    """Its library, pure and compiled: one folder, or two."""
    sites: tuple[Path, ...]
    """The environment's `site-packages`."""

    @property
    def short(self) -> str:
        """`3.12`."""
        return ".".join(self.version.split(".")[:2])


def find_interpreter(venv: Path | None) -> Interpreter:
    """The Python of `venv`, else of the environment this process runs in. Blocks; raises CannotBuild."""
    folder = (venv or Path(sys.prefix)).absolute()
    settings = folder / "pyvenv.cfg"
    if not settings.is_file():
        raise CannotBuild(f"{folder} is no virtual environment (it has no pyvenv.cfg): name one, as --from-venv .venv")
    if "include-system-site-packages=true" in settings.read_text(encoding="utf-8").replace(" ", "").lower():
        raise CannotBuild(f"{folder} uses the system's packages too: make it without --system-site-packages")
    python = folder / "bin" / "python"
    try:
        answer = subprocess.run(  # noqa: S603 -- the interpreter that is asked for
            [str(python), "-I", "-S", "-B", "-c", _PROGRAM, str(folder)],
            capture_output=True,
            encoding="utf-8",
            env={},
            timeout=_SECONDS,
            check=True,
        )
        said = json.loads(answer.stdout)
        found = Interpreter(
            version=said["version"],
            program=Path(said["program"]),
            stdlib=tuple(map(Path, said["stdlib"])),
            sites=tuple(each for each in map(Path, said["sites"]) if each.is_dir()),
        )
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError) as error:
        raise CannotBuild(f"{python} does not say what it is: {error}") from error
    return found
