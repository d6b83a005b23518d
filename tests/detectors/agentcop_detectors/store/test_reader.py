from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent_spans import a_run, a_step, ident
from agentcop_detectors.segments.tail import BEGINNING
from agentcop_detectors.store.database import DatabaseUnusable, open_database
from agentcop_detectors.store.reader import Reader, connect
from agentcop_detectors.store.writer import Batch, Store
from telling import found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'detector.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def reader(engine: Engine) -> Reader:
    anomalies = [
        found(number, agent_id=f"a{number % 3}", severity="high" if number % 2 else "low") for number in range(9)
    ]
    runs = [a_run(a_step(1, trace_id=ident(number, 16), agent_id=f"a{number % 3}"), seen=1.0) for number in range(1, 8)]
    Store(engine, "test").commit(
        Batch(counted=BEGINNING, resume=BEGINNING, runs=runs, anomalies=anomalies, now=1_750_000_000.0)
    )
    return Reader(engine)


def test_alerts_come_newest_first_page_by_page(reader: Reader) -> None:
    first = reader.alerts(limit=5)
    rest = reader.alerts(limit=5, before=first[-1].id)

    assert [alert.id for alert in (*first, *rest)] == list(range(9, 0, -1))
    assert first[0].evidence == ("by the library other",)
    assert first[0].trace_id == ident(1, 16).hex()


def test_filters_meet(reader: Reader) -> None:
    assert reader.acknowledge(1, "kim", 5.0)
    assert not reader.acknowledge(1, "lee", 6.0)
    assert not reader.acknowledge(99, "kim", 5.0)

    assert [alert.id for alert in reader.alerts(agent_id="a0", severity="low")] == [7, 1]
    assert [alert.id for alert in reader.alerts(agent_id="a0", severity="low", only_open=True)] == [7]
    assert len(reader.alerts(trace_id=ident(1, 16).hex())) == 9
    assert reader.alerts(trace_id="no hex") == []
    alert = reader.alert(1)
    assert alert is not None
    assert (alert.acknowledged_by, alert.acknowledged) == ("kim", 5.0)
    assert reader.alert(99) is None


def test_runs_of_one_moment_have_pages_without_gaps(reader: Reader) -> None:
    first = reader.runs(limit=3)
    rest = reader.runs(limit=9, before=(first[-1].seen, first[-1].trace_id))

    assert [run.trace_id for run in (*first, *rest)] == [ident(number, 16).hex() for number in range(7, 0, -1)]
    assert {run.agent_id for run in reader.runs(agent_id="a1")} == {"a1"}
    run = reader.run(ident(2, 16).hex())
    assert run is not None
    assert (run.agent_id, run.tool_calls) == ("a2", 1)
    assert reader.run("xyz") is None


def test_a_text_that_looks_like_sql_is_a_text(reader: Reader) -> None:
    assert reader.alerts(agent_id="a0' OR '1'='1") == []
    assert len(reader.alerts()) == 9


def test_connecting_creates_and_changes_nothing(tmp_path: Path, reader: Reader) -> None:
    del reader
    engine = connect(f"sqlite:///{tmp_path / 'detector.db'}")
    assert len(Reader(engine).alerts()) == 9
    engine.dispose()

    with pytest.raises(DatabaseUnusable, match="cannot be opened"):
        connect(f"sqlite:///{tmp_path / 'missing.db'}")
    assert not (tmp_path / "missing.db").exists()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to look at" * 100)

    for opening in (connect, open_database):
        with pytest.raises(DatabaseUnusable) as kept:  # with its traceback, which holds what was opened
            opening(f"sqlite:///{tmp_path / 'text.db'}")
        opened = {os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()}
        assert kept.value is not None
        assert str(tmp_path / "text.db") not in opened
