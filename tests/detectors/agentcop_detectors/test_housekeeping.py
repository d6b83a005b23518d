"""Housekeeping: segments are sealed, what is too old goes from both stores, and an agent can be forgotten."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from agent_spans import SECOND, START, a_frame, a_step, ident, write
from agentcop_detectors.checks.built_in import built_in
from agentcop_detectors.housekeeping import Housekeeping
from agentcop_detectors.scorer import Scorer
from agentcop_detectors.segments.log import SegmentLog
from agentcop_detectors.segments.names import sealed_paths, segment_paths
from agentcop_detectors.segments.spans import SpanStore
from agentcop_detectors.store import deletion
from agentcop_detectors.store.database import open_database
from agentcop_detectors.store.tables import AGENTS, ALERTS, RUNS, VERDICTS
from agentcop_detectors.store.writer import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = START / SECOND


class Service:
    """Scorer and housekeeping over one folder, by a clock that the test moves."""

    def __init__(self, folder: Path, retain: float | None = None) -> None:
        self.folder = folder / "segments"
        self.url = f"sqlite:///{folder / 'detector.db'}"
        self.retain = retain
        self.now = NOW
        self.log = SegmentLog(self.folder, segment_bytes=2_000)
        self.log.open()
        self.engine = open_database(self.url)
        self.number = 0
        self.start()

    def start(self) -> None:
        """Begin, or begin again after a kill."""
        self.scorer = Scorer(self.folder, Store(self.engine, "it"), built_in(), clock=lambda: self.now)
        self.keeping = Housekeeping(
            self.engine,
            SpanStore(self.folder),
            self.folder,
            retain=self.retain,
            resume=lambda: self.scorer.resume,
            forget=self.forget,
        )

    def forget(self, agent: str) -> None:
        """As from the housekeeping's own thread."""
        asking = threading.Thread(target=self.scorer.forget, args=(agent,))
        asking.start()
        while asking.is_alive():
            self.scorer.step()
        asking.join()

    def run_of(self, agent: str, **said: Any) -> bytes:
        """One run of an agent with a blocked call, received and over; its trace id."""
        self.number += 1
        trace = ident(self.number, 16)
        step = a_step(1, **{"trace_id": trace, "agent_id": agent, "verdict": "block"} | said)
        write(self.log, [a_frame([step], int(self.now * SECOND))])
        self.passes(5)
        return trace

    def passes(self, seconds: float) -> None:
        """Time."""
        while self.scorer.step():
            pass
        self.now += seconds
        self.scorer.step()
        self.scorer.commit(self.now)

    def keep(self, times: int = 40) -> None:
        """Let the housekeeping come by."""
        for _ in range(times):
            self.keeping.step(self.now)

    def rows(self) -> list[int]:
        """How many runs, verdicts, alerts, agents."""
        with self.engine.connect() as connection:
            counts = [select(func.count()).select_from(table) for table in (RUNS, VERDICTS, ALERTS, AGENTS)]
            return [connection.execute(query).scalar_one() for query in counts]

    def close(self) -> None:
        """Let all go."""
        self.scorer.close()
        self.log.close()
        self.engine.dispose()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path, retain=86_400.0)
    yield made
    made.close()


def test_segments_are_sealed_as_the_scorer_gets_on_and_one_is_left_for_the_writer(service: Service) -> None:
    for _ in range(60):
        service.run_of("billing")
        service.keep(1)

    assert service.keeping.sealed == len(sealed_paths(service.folder)) > 3
    assert len(segment_paths(service.folder)) <= 2
    assert len(SpanStore(service.folder).trace(ident(1, 16))) == 1


def test_what_is_older_than_it_may_be_goes_from_both_stores(service: Service) -> None:
    for _ in range(30):
        service.run_of("billing")
    store = Store(service.engine, "it")
    store.mark_told([each.id for each in store.untold()], "sent", service.now)
    service.passes(80_000)
    for _ in range(30):
        service.run_of("support")
    service.passes(10_000)
    service.keep()
    service.passes(700)
    service.keep(1)

    assert service.rows() == [30, 30, 30, 1]
    assert service.keeping.deleted_segments > 3
    spans = SpanStore(service.folder)
    assert spans.trace(ident(1, 16)) == []
    assert len(spans.trace(ident(60, 16))) == 1
    assert service.keeping.faults == 0


def test_without_retention_all_stays(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.run_of("billing")
    service.passes(10**8)
    service.keep()
    assert service.rows() == [1, 1, 1, 1]
    service.close()


def test_an_agent_that_is_deleted_is_gone_from_rows_memory_and_segments(service: Service) -> None:
    traces = [service.run_of(agent) for _ in range(20) for agent in ("billing", "support")]
    open_trace = ident(999, 16)
    write(service.log, [a_frame([a_step(5, trace_id=open_trace, parent_id=b"parent__")], int(service.now * SECOND))])
    service.passes(0.5)

    deleted = deletion.delete_agent(service.engine, "billing", service.now)
    assert deleted == (21, 20, 20, 1)
    service.keep()
    service.passes(3_600)
    assert service.rows() == [20, 20, 20, 1]

    for _ in range(10):  # until the segment in which the last of them lie is written to no more
        service.run_of("support")
    service.passes(5)
    service.keep()

    assert deletion.erasures(service.engine) == []
    spans = SpanStore(service.folder)
    found = {trace: len(spans.trace(trace)) for trace in (*traces, open_trace)}
    assert found == {trace: index % 2 for index, trace in enumerate(traces)} | {open_trace: 0}
    data = b"".join(path.read_bytes() for _, path in segment_paths(service.folder))
    assert b"billing-service" in data
    assert traces[0] not in data


def test_an_agent_that_was_deleted_does_not_come_back_when_the_scorer_is_killed(service: Service) -> None:
    trace = service.run_of("billing")
    open_trace = ident(999, 16)
    write(service.log, [a_frame([a_step(5, trace_id=open_trace, parent_id=b"parent__")], int(service.now * SECOND))])
    service.passes(0.5)
    deletion.delete_agent(service.engine, "billing", service.now)
    service.start()
    service.passes(3_600)
    service.keep(1)

    assert service.rows() == [0, 0, 0, 0]
    assert Store(service.engine, "it").erased() == {trace, open_trace}


def test_what_the_agent_sends_afterwards_is_new(service: Service) -> None:
    service.run_of("billing")
    deletion.delete_agent(service.engine, "billing", service.now)
    service.keep(2)
    service.run_of("billing")

    assert service.rows() == [1, 1, 1, 1]


def test_a_database_that_is_away_is_counted_and_asked_again(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service.run_of("billing")

    def away(engine: object) -> list[Any]:
        raise OperationalError("select", {}, OSError("away"))

    monkeypatch.setattr(deletion, "erasures", away)
    service.keep(2)
    assert service.keeping.faults == 2
    assert "it is tried again" in caplog.text
    monkeypatch.undo()
    service.keep(1)
    assert service.keeping.faults == 2
