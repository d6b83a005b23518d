"""The wheel, as a user has it after `pip install`: all there, nothing else, and it starts."""

from __future__ import annotations

import importlib
import subprocess
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

pytestmark = pytest.mark.smoke

ROOT = Path(__file__).resolve().parents[2]
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
INSTALLED = metadata.distribution("agentcop-runtime")
FILES = {Path(str(file)) for file in INSTALLED.files or ()}
WHEEL = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"][
    "wheel"
]
PACKAGES = sorted(Path(path).name for path in WHEEL["packages"])


def test_the_wheel_has_all_our_packages_and_no_other_name() -> None:
    top = {file.parts[0] for file in FILES if file.parts[0] != ".."}
    assert {name for name in top if not name.endswith(".dist-info")} == {
        *PACKAGES,
        "agentcop.pth",
        "agentcop-boot.start",
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_imported_from_the_wheel_and_is_typed(package: str) -> None:
    module = importlib.import_module(package)
    assert Path(str(module.__file__)).is_relative_to(SITE_PACKAGES)
    assert Path(package, "py.typed") in FILES


def test_every_file_of_the_tree_is_in_the_wheel() -> None:
    folders = [ROOT / path for path in WHEEL["packages"]]
    tree = {
        path.relative_to(folder.parent)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert tree <= FILES


def test_the_command_says_its_version() -> None:
    command = Path(sysconfig.get_path("scripts"), "agentcop")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert INSTALLED.version in done.stdout.split()
    assert done.stderr == ""


def test_every_module_can_be_imported(tmp_path: Path) -> None:
    modules = sorted(
        ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        for file in FILES
        if file.parts[0] in PACKAGES and file.suffix == ".py" and file.name != "__main__.py"
        if file.parts[-2:] != ("migrations", "env.py")  # alembic runs it, in a context of its own
    )
    program = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    command = [sys.executable, "-I", "-c", program, *modules]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
