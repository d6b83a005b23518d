"""The house stands as docs and pyproject say: packages, layers, what an import loads, how long a file may be."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("instrumentation", "collector_processor", "policies", "detectors", "scanner", "dashboards")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED = [ROOT / path for path in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]

# Not in the agent's process, whatever it does.
NEVER = (
    "agentcop_dashboards",
    "agentcop_detectors",
    "agentcop_scanner",
    "jinja2",
    "langchain",
    "langchain_core",
    "numpy",
    "sklearn",
    "slack_sdk",
    "sqlalchemy",
)
# Not before there is something to judge: an interpreter that is started for something else pays nothing.
LATER = ("grpc", "opentelemetry.sdk", "pydantic", "tree_sitter", "yaml")


def _printed_by(program: str) -> list[str]:
    """The words that a fresh interpreter prints; its traceback if it fails."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.split()


def test_the_wheel_lists_every_package_and_nothing_else() -> None:
    on_disk = [path for room in ROOMS for path in (ROOT / room).iterdir() if any(path.glob("*.py"))]
    assert sorted(SHIPPED) == sorted(on_disk)


def test_every_package_is_typed_and_has_a_name_of_our_own() -> None:
    assert [path for path in SHIPPED if not (path / "py.typed").is_file()] == []
    assert [path.name for path in SHIPPED if path.name != "agentcop" and not path.name.startswith("agentcop_")] == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_lies_directly_in_a_top_folder(room: str) -> None:
    assert list((ROOT / room).glob("*.py")) == []


def test_the_layers_name_every_package() -> None:
    linter = PYPROJECT["tool"]["importlinter"]
    (layers,) = [contract["layers"] for contract in linter["contracts"] if contract["type"] == "layers"]
    shipped = sorted(path.name for path in SHIPPED)
    assert sorted(name.strip() for layer in layers for name in layer.split("|")) == shipped
    assert sorted(linter["root_packages"]) == shipped
    assert sorted(PYPROJECT["tool"]["deptry"]["known_first_party"]) == shipped


def test_importing_agentcop_loads_nothing_heavy() -> None:
    program = f"import sys, agentcop; print(*(name for name in {NEVER + LATER!r} if name in sys.modules))"
    assert _printed_by(program) == []


def test_a_judged_call_loads_no_framework_no_learning_and_no_service() -> None:
    program = (
        "import sys; from agentcop import AgentCop, GatePolicy\n"
        "tools = AgentCop(agent_id='a', policy=GatePolicy(allow=['add'])).wrap({'add': lambda x: x + 1})\n"
        "assert tools['add'](1) == 2\n"
        f"print(*(name for name in {NEVER!r} if name in sys.modules))"
    )
    assert _printed_by(program) == []


def test_no_file_is_longer_than_one_idea() -> None:
    lengths = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in SOURCES}
    assert {path: lines for path, lines in lengths.items() if lines > 500} == {}


def test_no_file_is_named_after_nothing() -> None:
    nothing = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert [str(path) for path in SOURCES if path.stem.strip("_") in nothing or path.parent.name in nothing] == []


def test_every_python_claimed_is_one_that_the_tests_run_on() -> None:
    prefix = "Programming Language :: Python :: "
    claimed = {line.removeprefix(prefix) for line in PYPROJECT["project"]["classifiers"] if line.startswith(prefix)}
    (tested,) = [
        line for line in (ROOT / "scripts/groups/pythons").read_text().splitlines() if line.startswith("for version")
    ]
    assert claimed == set(tested.removeprefix("for version in ").removesuffix("; do").split())


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_a_path_named_in_a_page_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = {path for path in re.findall(r"`([\w.-]+/[\w./-]*)`", text) if "NAME" not in path}
    assert {path for path in named if not path.startswith(".cache/") and not (ROOT / path).exists()} == set()


def test_contributing_fits_on_a_few_screens_and_each_recipe_in_eight_steps() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert text.count("\n") < 150
    assert not re.search(r"(?m)^9\. ", text)


def test_no_pattern_repeats_a_group_possessively() -> None:
    """Python before 3.11.5, Debian 12's, matches such groups wrongly (cpython 106052); single characters are fine."""
    possessive = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+|\(\?>")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if possessive.search(line)
    ]
    assert found == []
