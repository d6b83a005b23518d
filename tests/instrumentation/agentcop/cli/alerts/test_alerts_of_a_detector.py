"""`agentcop alerts` beside a detector: its database, its spool and its segments in one state folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agent_spans import a_frame, a_run, a_step, ident, write
from agentcop_detectors.segments.log import SegmentLog
from alerts import SLACK
from slack_server import SlackServer
from telling import Told, found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.processes

SECRET = "AKIAIOSFODNN7CANARY1"


def agentcop(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agentcop", "alerts", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "80", **environ},
    )


@pytest.fixture
def told(agentcop_home: Path) -> Iterator[Told]:
    """A detector that told of one alert, and of one that no channel takes."""
    (agentcop_home / "detector").mkdir(parents=True)
    log = SegmentLog(agentcop_home / "detector" / "segments", segment_bytes=1_000_000)
    log.open()
    steps = [a_step(1, arguments=f'{{"q": "cats", "key": "{SECRET}"}}'), a_step(2, name="send_email", verdict="block")]
    write(log, [a_frame(steps)])
    log.close()
    with SlackServer() as server:
        told = Told(agentcop_home, {"HOOK": server.url}, SLACK[:-1] + ", min_severity: high}")
        run = a_run(*steps)
        told.find(found(1, evidence=(f"because {SECRET}",)), found(2, severity="medium", tool="zap"), run=run)
        yield told
        told.end()
    (agentcop_home / "detector.db").unlink()


@pytest.fixture
def database(told: Told, agentcop_home: Path) -> str:
    return f"sqlite:///{agentcop_home / 'detector.db'}"


def test_the_list_has_each_alert_once_within_80_columns_and_without_colour(database: str) -> None:
    done = agentcop("list", "--database", database)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "1         sent      critical  unenforced_call  billing  search",
        "          2027-01-15 08:00:00  a channel took it",
        "          a tool call that no gate judged",
        "2         nobody    medium    unenforced_call  billing  zap",
        "          2027-01-15 08:00:00  no channel takes it",
        "          a tool call that no gate judged",
    ]
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_a_state_and_json(database: str) -> None:
    done = agentcop("list", "--database", database, "--state", "failed", "--json")

    listed = json.loads(done.stdout)
    assert [(each["id"], each["told"], each["tool"]) for each in listed["found"]] == [(2, "nobody", "zap")]
    assert listed["alerts"] == []


def test_one_is_shown_with_its_run_its_evidence_and_its_messages(database: str) -> None:
    done = agentcop("show", "1", "--database", database)

    assert done.returncode == 0
    assert "→ +0 ms  search  no verdict  1.0 s" in done.stdout
    assert "send_email  BLOCKED" in done.stdout
    assert "evidence  because [redacted:" in done.stdout
    assert f"trace     {ident(1, 16).hex()}" in done.stdout
    assert "→ slack (monitor.alert_channels[0])" in done.stdout
    shown = json.loads(agentcop("show", "1", "--database", database, "--json").stdout)
    assert [each["state"] for each in shown["messages"]] == ["sent"]
    assert shown["timeline"][0].startswith("→ +0 ms  search")


def test_it_is_taken_on_once_and_by_whom_is_written_down(database: str, told: Told) -> None:
    first = agentcop("ack", "1", "2", "--by", "kim\x1b[31m", "--database", database)
    again = agentcop("ack", "1", "--by", "lee", AGENTCOP_DATABASE_URL=database)

    assert (first.returncode, again.returncode) == (0, 1)
    assert "1 was acknowledged before by kim" in again.stdout
    assert (first.stdout + again.stdout).replace("\n", "").isprintable()
    assert [row.acknowledged_by for row in told.rows()] == ["kim\x1b[31m"] * 2
    assert agentcop("list", "--open", "--database", database).stdout == ""


def test_no_secret_is_printed(database: str) -> None:
    for arguments in (("list",), ("show", "1"), ("ack", "1")):
        for form in ("text", "json"):
            done = agentcop(*arguments, "--database", database, "-f", form)
            assert "CANARY" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////nowhere/at/all.db", "cannot be opened"),
        ("nonsense", "looks like sqlite:///PATH"),
        ("postgresql+nosuch://user:canary@host/x", "canno"),
    ],
)
def test_a_database_that_cannot_be_read_is_said_without_its_password(agentcop_home: Path, url: str, said: str) -> None:
    agentcop_home.mkdir(parents=True)
    done = agentcop("list", "--database", url)

    assert done.returncode == 2
    assert said in done.stderr
    assert "canary" not in done.stderr
    assert not re.search("Traceback", done.stderr)


def test_the_database_of_another_version_is_left_alone(database: str, told: Told) -> None:
    with told.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from the future'")
    done = agentcop("list", "--database", database)

    assert done.returncode == 2
    assert "of another version of agentcop" in done.stderr


def test_the_database_in_the_state_folder_is_found_by_itself(told: Told, agentcop_home: Path) -> None:
    for path in agentcop_home.glob("detector.db*"):
        (agentcop_home / "detector" / path.name).write_bytes(path.read_bytes())
    done = agentcop("list")

    assert "unenforced_call  billing  search" in done.stdout
