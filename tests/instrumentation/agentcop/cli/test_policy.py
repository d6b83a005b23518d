"""`agentcop policy`: stdout is the answer, stderr is talk, the exit code says which."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agentcop.cli import main
from guide import listings

GOOD = """\
agent_id: tester
version: "3"
gate:
  allow: [search, {tool: read, when: 'args.path == "a"'}]
  require_approval: [pay]
  block: [shell_execute]
tests:
  - {call: {tool: search}, expect: allow, because: "gate.allow[0]"}
"""


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A valid policy with one test, in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(GOOD, encoding="utf-8")
    return "good.yaml"


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["policy", *arguments])


def test_validate_says_all_problems_on_stdout_and_exits_1(good: str) -> None:
    Path("bad.yaml").write_text("agent_id: 7\ngate: {alow: [a], allow: [b]}\n", encoding="utf-8")

    done = _run("validate", good, "bad.yaml")

    assert done.exit_code == 1
    valid, first, second = done.stdout.splitlines()
    assert valid.startswith("good.yaml: valid: tester 3, digest ")
    assert first.startswith("bad.yaml:1:11 expected text")
    assert second.startswith('bad.yaml:2:8 unknown key "alow"; did you mean "allow"?')


def test_validate_of_the_guides_policy_exits_0_and_warns_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("agent.yaml").write_text(listings("yaml")[0], encoding="utf-8")

    done = _run("validate", "agent.yaml")

    assert done.exit_code == 0
    assert "warning: agent.yaml:13:" in done.stderr or "warning: agent.yaml:1" in done.stderr
    assert "${SLACK_WEBHOOK} is not set in this environment" in done.stderr
    required = _run("validate", "agent.yaml", "--require-env")
    assert required.exit_code == 1
    assert "${SLACK_WEBHOOK} is not set in this environment" in required.stdout


def test_validate_as_json_is_json_and_nothing_else(good: str) -> None:
    [report] = json.loads(_run("validate", good, "-f", "json").stdout)

    assert report["valid"] is True
    assert (report["agent_id"], report["version"], report["problems"]) == ("tester", "3", [])


@pytest.mark.parametrize(
    ("tools", "exit_code", "said"),
    [
        (["search", "read", "pay"], 0, "valid"),
        (
            ["serch", "read", "pay"],
            1,
            'good.yaml:4:11 gate.allow[0] "search" matches none of the agent\'s tools; did you',
        ),
        (
            ["search", "pay", {"name": "read", "parameters": {"properties": {"file": {}}}}],
            1,
            'good.yaml:4:19 gate.allow[1] reads args.path, which "read" does not take; it takes file',
        ),
    ],
)
def test_validate_against_tools_in_a_file(good: str, tools: list[object], exit_code: int, said: str) -> None:
    Path("tools.json").write_text(json.dumps(tools), encoding="utf-8")

    done = _run("validate", good, "--tools", "tools.json")

    assert done.exit_code == exit_code
    assert said in done.stdout


def test_validate_against_tools_of_a_module(good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "def search(): ...\ndef read(path): ...\ndef pay(): ...\nTOOLS = [search, read, pay]\n"
    Path("mytools_for_test.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(sys, "path", list(sys.path))

    assert _run("validate", good, "--tools", "mytools_for_test:TOOLS").exit_code == 0
    missing = _run("validate", good, "--tools", "mytools_for_test:NONE")
    assert missing.exit_code == 2
    assert "--tools mytools_for_test:NONE" in missing.stderr


def test_test_runs_the_tests_in_the_file(good: str) -> None:
    done = _run("test", good)

    assert done.exit_code == 0
    assert done.stdout == "pass good.yaml:8:5 tests[0] search: allow because of gate.allow[0]\n"
    assert done.stderr == "1 of 1 tests passed\n"


def test_test_exits_1_on_a_failure_and_names_it(good: str) -> None:
    Path(good).write_text(GOOD + "  - {call: {tool: pay}, expect: allow}\n", encoding="utf-8")

    done = _run("test", good)

    assert done.exit_code == 1
    assert (
        "FAIL good.yaml:9:5 tests[1] pay: allow, but got require_approval from gate.require_approval[0]" in done.stdout
    )
    report = json.loads(_run("test", good, "-f", "json").stdout)
    assert [test["passed"] for test in report["tests"]] == [True, False]


def test_test_of_no_tests_is_not_fine(good: str) -> None:
    Path(good).write_text("agent_id: x\ngate: {allow: [a]}\n", encoding="utf-8")

    assert _run("test", good).exit_code == 2


def test_explain_prints_the_walk_and_names_the_deciding_line(good: str) -> None:
    done = _run("explain", "read", "--args", '{"path": "b"}', "--policy", good)

    assert done.exit_code == 0
    assert "gate.block: 1 about other tools" in done.stdout
    assert 'gate.allow[1] "read" when args.path == "a": condition false' in done.stdout
    assert done.stdout.splitlines()[-1].startswith("block: gate.default at good.yaml:3:1: ")


def test_explain_takes_the_policy_from_the_environment_and_speaks_json(
    good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTCOP_POLICY", good)

    report = json.loads(_run("explain", "pay", "-f", "json").stdout)

    assert (report["decision"], report["rule"]) == ("require_approval", "gate.require_approval[0]")
    assert report["at"] == "good.yaml:5:22"
    assert [step["rule"] for step in report["steps"] if step["decides"]] == ["gate.require_approval[0]"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "a"),
        ("explain", "a", "--policy", "none.yaml"),
        ("explain", "a", "--policy", "good.yaml", "--args", "{"),
        ("explain", "a", "--policy", "good.yaml", "--args", "[1]"),
        ("validate", "none.yaml"),
        ("validate", "good.yaml", "--tools", "none"),
        ("test", "none.yaml"),
    ],
)
def test_what_cannot_be_done_exits_2(good: str, arguments: tuple[str, ...]) -> None:
    assert good
    assert _run(*arguments).exit_code == 2


def test_nothing_a_policy_says_can_drive_the_terminal(good: str) -> None:
    Path(good).write_text('agent_id: "a\\e[31mb"\ngate: {allow: [a], "\\e[2J": 1}\n', encoding="utf-8")

    assert "\x1b" not in _run("validate", good).output
