"""The start of an interpreter: free while nothing is asked for, armed when it is, exit 78 when it cannot be."""

from __future__ import annotations

import pkgutil
import sys
import sysconfig
from pathlib import Path

import pytest

from agentcop._boot import arm
from processes import Program

OURS = "import sys; print(*sorted(name for name in sys.modules if name.startswith('agentcop')))"
ARMED = "import sys; print(any(type(finder).__module__ == 'agentcop._arming.finder' for finder in sys.meta_path))"
HEAVY = ("agentcop._cop", "click", "grpc", "logging", "opentelemetry", "pathlib", "pydantic", "typing", "yaml")
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(folder=tmp_path)


def test_an_interpreter_that_is_not_asked_loads_nothing_of_ours(program: Program) -> None:
    assert program.says(OURS) == []


@pytest.mark.parametrize("value", ["", "0", " 0 "])
def test_off_is_off(program: Program, value: str) -> None:
    assert program.having(AGENTCOP_ENABLED=value).says(ARMED) == ["False"]


@pytest.mark.parametrize("value", ["1", "true", "yes", "TRUE", " Yes "])
def test_on_is_armed(program: Program, value: str) -> None:
    assert program.having(AGENTCOP_ENABLED=value).says(ARMED) == ["True"]


@pytest.mark.parametrize("flags", [["-I"], ["-E"], ["-s"], ["-B", "-u"], ["-W", "error"], ["-X", "utf8"]], ids=" ".join)
def test_no_flag_that_runs_site_starts_an_interpreter_unarmed(program: Program, flags: list[str]) -> None:
    assert program.having(AGENTCOP_ENABLED="1").says(ARMED, *flags) == ["True"]


def test_the_start_of_an_armed_interpreter_loads_names_only(program: Program) -> None:
    loaded = f"import sys; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    without = program.says(loaded, "-I")
    assert program.having(AGENTCOP_ENABLED="1").says(loaded, "-I") == without


@pytest.mark.parametrize("value", ["2", "on", "false", "no", "ja"])
def test_a_value_that_means_nothing_ends_the_process(program: Program, value: str) -> None:
    done = program.having(AGENTCOP_ENABLED=value).run("-c", "print('ran')")
    assert (done.returncode, done.stdout) == (78, "")
    assert f"AGENTCOP_ENABLED is {value!r}: 1, true or yes arm the process" in done.stderr


def test_a_fault_in_our_own_start_ends_the_process(program: Program) -> None:
    program.file("agentcop/__init__.py", "")
    program.file("agentcop/_boot.py", "def arm():\n    raise SystemExit(0)\n")
    done = program.having(AGENTCOP_ENABLED="1", PYTHONPATH=str(program.folder)).run("-c", "print('ran')")
    assert (done.returncode, done.stdout) == (78, "")
    assert "agentcop: cannot arm this process, so it must not run: SystemExit: 0" in done.stderr


def test_an_install_without_its_packages_ends_the_process(program: Program) -> None:
    program.file("agentcop.py", "raise ImportError('shadowed')\n")
    done = program.having(AGENTCOP_ENABLED="1", PYTHONPATH=str(program.folder)).run("-c", "print('ran')")
    assert (done.returncode, done.stdout) == (78, "")
    assert "ImportError: shadowed" in done.stderr


def test_importing_agentcop_arms_where_no_pth_file_ran(program: Program) -> None:
    search = f"import sys; sys.path[:0] = {[path for path in sys.path if path]!r}; import agentcop; "
    armed = program.having(AGENTCOP_ENABLED="1")
    assert armed.says(search + ARMED, "-S") == ["True"]
    done = armed.having(AGENTCOP_ENABLED="maybe").run("-S", "-c", search + "print('ran')")
    assert (done.returncode, done.stdout) == (78, "")


def test_without_site_and_without_that_import_nothing_is_armed(program: Program) -> None:
    """The documented limit of `python -S`."""
    assert program.having(AGENTCOP_ENABLED="1").says(ARMED, "-S") == ["False"]


def test_the_file_for_later_pythons_names_what_arms() -> None:
    """PEP 829: each line is resolved and called without arguments, after the `.pth` files."""
    (line,) = (SITE_PACKAGES / "agentcop-boot.start").read_text(encoding="utf-8").splitlines()
    assert pkgutil.resolve_name(line) is arm


def test_no_fault_of_that_call_reaches_who_would_only_print_it(program: Program) -> None:
    search = [path for path in sys.path if path]
    code = (
        f"import pkgutil, sys; sys.path[:0] = {search!r}; sys.modules['agentcop._arming.exempt'] = None;"
        "pkgutil.resolve_name('agentcop._boot:arm')(); print('ran')"
    )
    done = program.having(AGENTCOP_ENABLED="1").run("-S", "-c", code)
    assert (done.returncode, done.stdout) == (78, "")
    assert "ModuleNotFoundError" in done.stderr


def test_paths_are_made_absolute_for_the_children(program: Program) -> None:
    armed = program.having(AGENTCOP_ENABLED="1", AGENTCOP_HOME="state", AGENTCOP_POLICY="policies/a.yaml")
    shown = armed.says("import os; print(os.environ['AGENTCOP_HOME'], os.environ['AGENTCOP_POLICY'])")
    assert shown == [str(program.folder / "state"), str(program.folder / "policies/a.yaml")]


def test_the_default_state_folder_is_exported_too(program: Program) -> None:
    armed = program.having(AGENTCOP_ENABLED="1", AGENTCOP_HOME="", XDG_STATE_HOME=str(program.folder))
    assert armed.says("import os; print(os.environ['AGENTCOP_HOME'])") == [str(program.folder / "agentcop")]


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "agentcop", "--version"],
        [Path(sysconfig.get_path("scripts"), "agentcop"), "--version"],
        ["-m", "pip", "--version"],
        ["-Im", "pip", "--version"],
        ["-m", "venv", "--help"],
    ],
    ids=lambda command: " ".join(Path(word).name for word in command),
)
def test_what_repairs_an_environment_runs_in_a_broken_one(program: Program, command: list[str | Path]) -> None:
    broken = program.having(AGENTCOP_ENABLED="broken", AGENTCOP_POLICY="missing.yaml")
    done = broken.run(*command)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["pip", "agentcop", "pip3.11"])
def test_a_program_that_takes_the_name_of_one_is_armed(program: Program, name: str) -> None:
    script = program.file(name, ARMED)
    done = program.having(AGENTCOP_ENABLED="1").run(script)
    assert done.stdout.split() == ["True"]


def test_the_line_is_one_line_and_stands_where_site_looks() -> None:
    line = (SITE_PACKAGES / "agentcop.pth").read_text(encoding="utf-8")
    assert line.count("\n") == 1
    assert line.startswith('import os; os.environ.get("AGENTCOP_ENABLED") and ')
