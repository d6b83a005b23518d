"""`agentcop erase`: what the detector keeps about one agent goes, and nothing of another's."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agent_spans import a_run, a_step, ident
from agentcop_detectors.store.database import open_database
from agentcop_detectors.store.deletion import erasures
from agentcop_detectors.store.reader import Reader, connect
from agentcop_detectors.store.writer import Batch, Store

if TYPE_CHECKING:
    from pathlib import Path


def erase(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agentcop", "erase", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def database(agentcop_home: Path) -> str:
    """A detector that knows runs of `billing` and of `shop`."""
    url = f"sqlite:///{agentcop_home / 'detector' / 'detector.db'}"
    engine = open_database(url)
    runs = [
        a_run(a_step(1, trace_id=ident(number, 16), agent_id=agent), agent_id=agent, trace_id=ident(number, 16))
        for number, agent in enumerate(("billing", "shop", "billing"), start=1)
    ]
    position = Store(engine, "log").progress()[0]
    Store(engine, "log").commit(Batch(counted=position, resume=position, runs=runs, now=1.0))
    engine.dispose()
    return url


def agents(url: str) -> list[str]:
    engine = connect(url)
    try:
        return sorted(run.agent_id for run in Reader(engine).runs())
    finally:
        engine.dispose()


def test_one_agents_rows_go_and_its_spans_are_asked_for(database: str) -> None:
    assert agents(database) == ["billing", "billing", "shop"]

    done = erase("billing", "--yes")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("billing: 2 runs, 0 verdicts and 0 alerts deleted")
    assert agents(database) == ["shop"]
    engine = connect(database)
    assert [(each.agent_id, each.traces) for each in erasures(engine)] == [("billing", {ident(1, 16), ident(3, 16)})]
    engine.dispose()


def test_nothing_is_deleted_where_nobody_can_be_asked(database: str) -> None:
    done = erase("billing")

    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert agents(database) == ["billing", "billing", "shop"]


def test_an_agent_that_nobody_knows_is_said_to_be_so(database: str) -> None:
    done = erase("nobody", "--yes", "--database", database)

    assert done.returncode == 0
    assert "knew nothing" in done.stderr


def test_a_database_that_is_not_there_is_not_made(agentcop_home: Path) -> None:
    done = erase("billing", "--yes")

    assert done.returncode == 2
    assert "cannot be opened" in done.stderr
    assert not (agentcop_home / "detector").exists()
