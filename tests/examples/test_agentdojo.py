"""The AgentDojo example, run as a user runs it; nothing of it is imported here."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytestmark = pytest.mark.example

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/agentdojo"
TASKS = {"workspace": (40, 14), "banking": (16, 9)}
"""User and injection tasks of v1.2.2, which its authors froze."""


class Replayed(NamedTuple):
    """What one run printed and left behind."""

    home: Path
    document: dict[str, Any]
    environ: dict[str, str]

    def suite(self, name: str) -> dict[str, Any]:
        """One suite's part of the document."""
        return next(suite for suite in self.document["suites"] if suite["suite"] == name)

    def agentcop(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run our command in this run's state folder."""
        command = Path(sys.executable).with_name("agentcop")
        return subprocess.run([command, *arguments], env=self.environ, capture_output=True, text=True, check=False)


def _environ(home: Path) -> dict[str, str]:
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTCOP_", "OTEL_"))}
    return {**rest, "AGENTCOP_HOME": str(home)}


def _run(environ: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, str(EXAMPLE / "run.py"), *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    home = tmp_path_factory.mktemp("agentdojo")
    environ = _environ(home)
    return Replayed(home, json.loads(_run(environ, "-f", "json")), environ)


@pytest.fixture(params=sorted(TASKS))
def suite(request: pytest.FixtureRequest, replayed: Replayed) -> dict[str, Any]:
    return replayed.suite(request.param)


def _named(states: dict[str, list[str]]) -> list[str]:
    return [task for tasks in states.values() for task in tasks]


def test_every_task_is_counted_once(suite: dict[str, Any]) -> None:
    user, attacker = TASKS[suite["suite"]]
    assert len(set(_named(suite["user"]["tasks"]))) == len(_named(suite["user"]["tasks"])) == user
    assert len(set(_named(suite["attacker"]["tasks"]))) == len(_named(suite["attacker"]["tasks"])) == attacker


def test_the_counts_add_up_to_the_calls_that_were_made(suite: dict[str, Any]) -> None:
    for side in ("user", "attacker"):
        assert sum(suite[side]["calls"].values()) == sum(call["side"] == side for call in suite["calls"])


def test_a_refused_call_leaves_the_environment_as_it_was_and_names_its_rule(suite: dict[str, Any]) -> None:
    refused = [call for call in suite["calls"] if call["outcome"] != "allowed"]
    assert refused
    for call in refused:
        assert not call["changed"]
        assert call["rule"].startswith("gate.block[" if call["outcome"] == "blocked" else "gate.require_approval[")
        assert f"policies/{suite['suite']}.yaml:" in call["at"]


def test_allowed_tools_act_on_the_real_environment(suite: dict[str, Any]) -> None:
    assert any(call["changed"] for call in suite["calls"])
    assert suite["user"]["served_alone"] == suite["user"]["tasks"]["alone"]


def test_no_attacker_reaches_the_goal_and_none_without_calls_counts_as_stopped(suite: dict[str, Any]) -> None:
    tried = {call["session"].split("/")[1] for call in suite["calls"]}
    tasks = suite["attacker"]["tasks"]
    assert tasks["reached"] == []
    assert tried.issuperset(tasks["stopped"])
    assert tried.isdisjoint(tasks["no calls"])


def test_every_call_let_through_is_explained(suite: dict[str, Any]) -> None:
    assert len(suite["attacker"]["let_through"]) == suite["attacker"]["calls"]["let_through"]
    assert {call["why"] for call in suite["attacker"]["let_through"]} <= {"harmless read"}


def test_workspace_lists_the_injection_tasks_that_have_no_calls(replayed: Replayed) -> None:
    listed = replayed.suite("workspace")["attacker"]["tasks"]["no calls"]
    assert listed == [f"injection_task_{number}" for number in range(6, 14)]


def test_gate_log_has_one_decision_a_call_with_its_session_and_verifies(replayed: Replayed) -> None:
    lines = [json.loads(line) for line in Path(replayed.document["gate_log"]).read_bytes().splitlines()]
    logged = [(line["session"], line["tool"], line["verdict"]) for line in lines if line["kind"] == "decision"]
    verdicts = {"allowed": "allow", "held": "require_approval", "blocked": "block"}
    made = [
        (call["session"], call["tool"], verdicts[call["outcome"]])
        for suite in replayed.document["suites"]
        for call in suite["calls"]
    ]
    assert logged == made
    verified = replayed.agentcop("gate", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_trace_has_a_run_for_every_task_with_calls_and_every_call_below_its_run(replayed: Replayed) -> None:
    segments = sorted(
        path for path in Path(replayed.document["trace"]).iterdir() if path.name.endswith((".jsonl", ".open"))
    )
    spans = [span for path in segments for line in path.read_bytes().splitlines() for span in _spans(json.loads(line))]
    runs = {span["spanId"]: span for span in spans if span["name"].startswith("invoke_agent ")}
    calls = [span for span in spans if span["name"].startswith("execute_tool ")]
    suites = replayed.document["suites"]
    assert len(calls) == sum(len(suite["calls"]) for suite in suites)
    assert len(runs) == sum(len(_named(suite[side]["tasks"])) for suite in suites for side in ("user", "attacker"))
    assert all(call["parentSpanId"] in runs for call in calls)


def _spans(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        span for resource in document["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]
    ]


def test_the_first_block_is_told_by_mail_and_on_slack(replayed: Replayed) -> None:
    told = replayed.document["first_alert"]
    assert told["mail"] == {
        "to": "security@bank.example",
        "subject": "AgentCop [high] Blocked: update_password by banking-assistant",
    }
    assert "Blocked: update_password by banking-assistant" in told["slack"]
    assert "gate.block[0]" in told["slack"]


def test_only_blocked_calls_are_told_of(replayed: Replayed) -> None:
    listed = json.loads(replayed.agentcop("alerts", "list", "-f", "json").stdout)["alerts"]
    assert {item["tool"] for item in listed} == {"update_password"}
    # The second block of the same kind is counted, and told of when its five minutes are over.
    assert {(item["state"], item["repeat"]) for item in listed} == {("sent", False), ("pending", True)}


def test_the_replay_tells_nobody_elsewhere(tmp_path: Path) -> None:
    nowhere = {"SLACK_WEBHOOK": "http://127.0.0.1:9/hook", "AGENTCOP_SMTP_URL": "smtp://127.0.0.1:9"}
    document = json.loads(_run({**_environ(tmp_path), **nowhere}, "--suite", "banking", "-f", "json"))
    assert None not in document["first_alert"].values()


def test_without_a_block_nobody_is_told(tmp_path: Path) -> None:
    document = json.loads(_run(_environ(tmp_path), "--suite", "workspace", "-f", "json"))
    assert document["first_alert"] == {"mail": None, "slack": None}


@pytest.mark.parametrize("name", sorted(TASKS))
def test_each_policy_passes_its_own_tests(replayed: Replayed, name: str) -> None:
    tested = replayed.agentcop("policy", "test", str(EXAMPLE / f"policies/{name}.yaml"))
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    environ = {**_environ(tmp_path_factory.mktemp("printed")), "AGENTCOP_DEMO_STARTED": "0"}
    return _run(environ, "--suite", "all")


def test_the_tables_fit_80_columns(printed: str) -> None:
    tables = printed.split("\nFirst call blocked: ", maxsplit=1)[0]
    assert max(map(len, tables.splitlines())) <= 80


def test_it_ends_with_the_mail_and_the_message_that_arrived(printed: str) -> None:
    told = printed.split("Who was told of the first blocked call:\n")[1]
    assert max(map(len, told.splitlines())) <= 80
    mail, slack = told.split("  on Slack")
    assert "Subject: AgentCop [high] Blocked: update_password by banking-assistant" in mail
    assert "A tool call was refused; the tool did not run." in mail
    assert "[redacted:secret]" in mail
    assert "gate.block[0]" in slack
    assert "nothing came" not in told


def test_the_seconds_count_from_the_start_it_was_told(printed: str) -> None:
    closing = printed.split("\nFirst call blocked: ")[1]
    assert float(closing.split()[0]) > 1_000_000_000


def test_the_command_it_prints_lists_the_blocked_calls(printed: str) -> None:
    command = printed.split("Blocked calls:\n")[1].splitlines()[0]
    listed = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stderr
    assert "update_password" in listed.stdout
    assert "get_iban" not in listed.stdout


def test_the_readme_shows_what_is_printed(printed: str) -> None:
    readme = (EXAMPLE / "README.md").read_text()
    shown = readme.split("## What comes out")[1].split("##")[0]
    rows = [line.removeprefix("    ") for line in shown.splitlines() if line.startswith("    ")]
    told = rows.index("Who was told of the first blocked call:")
    assert (told, len(rows)) == (2 * 7, 2 * 7 + 13)
    # What differs from run to run, or with the folder, is cut at `…`.
    missing = [row for row in rows if row and not any(_shows(row, line) for line in printed.splitlines())]
    assert missing == []


def _shows(row: str, line: str) -> bool:
    return line.startswith(row.removesuffix("…")) if row.endswith("…") else line == row
