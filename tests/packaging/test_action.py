"""The GitHub Action: valid, and its step run as the runner runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from scanning import BROKEN, CLEAN, POOR, write

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEP = ACTION["runs"]["steps"][-1]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(**inputs: str) -> subprocess.CompletedProcess[str]:
    """The step, with the defaults of the action and these inputs."""
    given = {name: one["default"] for name, one in ACTION["inputs"].items()}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    environ = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": "output",
        "GITHUB_STEP_SUMMARY": "summary",
        "SCAN_INPUTS": json.dumps(given),
    }
    return subprocess.run(["bash", "-e", "-c", STEP["run"]], env=environ, capture_output=True, text=True, check=False)


def test_it_is_valid_by_the_schema_of_actions() -> None:
    schema = resources.files("check_jsonschema").joinpath("builtin_schemas/vendor/github-actions.json")
    jsonschema.validate(ACTION, json.loads(schema.read_text(encoding="utf-8")))


def test_inputs_reach_the_step_as_data_and_never_as_a_command() -> None:
    assert "${{" not in "".join(step["run"] for step in ACTION["runs"]["steps"])
    assert STEP["env"] == {"SCAN_INPUTS": "${{ toJSON(inputs) }}"}


@pytest.mark.parametrize(
    ("text", "inputs", "code"),
    [
        (CLEAN, {"min_score": "75"}, 0),
        (POOR, {}, 0),
        (POOR, {"min_score": "75"}, 1),
        (POOR, {"fail_on": "HIGH"}, 1),
        (BROKEN, {}, 2),
        (CLEAN, {"paths": "agents\n\nabsent"}, 2),
    ],
)
def test_its_exit_is_that_of_the_scan(text: str, inputs: dict[str, str], code: int) -> None:
    write(agent=text)

    done = run(**inputs)

    assert done.returncode == code, done.stderr
    assert Path("output").read_text(encoding="utf-8") == f"exit-code={code}\n"


def test_it_annotates_sums_up_and_leaves_the_reports() -> None:
    write(agent=POOR)

    done = run(paths="agents")

    assert "::error file=agents/agent.py,line=5," in done.stdout
    assert Path("summary").read_text(encoding="utf-8").startswith("## agentcop scan: passed, trust score 69")
    assert json.loads(Path("agentcop.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert Path("agentcop-report.html").is_file()


@pytest.mark.parametrize(
    "hostile", ["$(touch owned)", "`touch owned`", "; touch owned", "--output=owned.html", "a\n-f"]
)
def test_hostile_inputs_run_nothing(hostile: str) -> None:
    write(agent=CLEAN)

    assert run(paths=hostile).returncode == 2
    assert run(paths="agents", policy=hostile).returncode == 2
    assert not list(Path().glob("owned*"))
