"""What the detector's tables must do on every database: run on SQLite as unit tests, on PostgreSQL in `detector`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, inspect, select

from agent_spans import START, a_run, a_step, ident
from agentcop_detectors.checks._interface import Anomaly
from agentcop_detectors.segments.tail import BEGINNING, Position
from agentcop_detectors.store import deletion
from agentcop_detectors.store.alerts import acknowledge
from agentcop_detectors.store.tables import AGENTS, ALERTS, ERASURES, METADATA, PROGRESS, RUNS, VERDICTS
from agentcop_detectors.store.writer import Batch, Store

if TYPE_CHECKING:
    from sqlalchemy import Engine, Table

TABLES = (RUNS, VERDICTS, ALERTS, AGENTS, PROGRESS, ERASURES)


def an_anomaly(key: str = "k", **said: Any) -> Anomaly:
    """A finding about trace 1."""
    whole: dict[str, Any] = {
        "check": "volume",
        "severity": "medium",
        "agent_id": "billing",
        "tool": "search",
        "reason": "too much",
        "evidence": ("so much",),
        "trace_id": ident(1, 16),
        "span_id": ident(1),
        "key": key,
    }
    return Anomaly(**whole | said)


def a_batch(*anomalies: Anomaly, at: int = 1, trace: int = 1, agent: str = "billing", now: float = 100.0) -> Batch:
    """One run with a blocked call, of one agent."""
    step = a_step(1, trace_id=ident(trace, 16), agent_id=agent, verdict="block", rule="gate.default")
    run = a_run(step, agent_id=agent, seen=now, first=Position(1, at))
    return Batch(
        counted=Position(1, at),
        resume=Position(1, at),
        runs=[run],
        verdicts=[(run, step)],
        anomalies=list(anomalies),
        agents={agent: {"volume": {"seen": at}}},
        now=now,
    )


class StoreClaims:
    """Collected where a subclass gives the fixture `engine`: an empty database at this build's schema."""

    def rows(self, engine: Engine, table: Table) -> int:
        with engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def test_the_migrations_make_what_the_tables_say(self, engine: Engine) -> None:
        seen = inspect(engine)
        for name, table in METADATA.tables.items():
            columns = {column["name"]: column for column in seen.get_columns(name)}
            assert columns.keys() == {column.name for column in table.c}
            assert {column.name for column in table.c if not column.nullable} == {
                column for column, said in columns.items() if not said["nullable"]
            }
            indexes = {str(index["name"]) for index in seen.get_indexes(name) if not index["unique"]}
            assert indexes == {str(index.name) for index in table.indexes}

    def test_what_is_committed_is_there_together_with_how_far_was_read(self, engine: Engine) -> None:
        store = Store(engine, "it")
        assert store.progress() == (BEGINNING, BEGINNING)

        store.commit(a_batch(an_anomaly(), at=7))

        assert store.progress() == (Position(1, 7), Position(1, 7))
        assert Store(engine, "other").progress() == (BEGINNING, BEGINNING)
        assert store.states_of(["billing", "nobody"]) == {"billing": {"volume": {"seen": 7}}}
        assert store.known([ident(1, 16), ident(2, 16)])[ident(1, 16)].first == Position(1, 7)
        assert [self.rows(engine, table) for table in TABLES] == [1, 1, 1, 1, 1, 0]

    def test_the_same_again_changes_no_rows_and_tells_nothing(self, engine: Engine) -> None:
        store = Store(engine, "it")
        first = store.commit(a_batch(an_anomaly("a"), an_anomaly("b"), an_anomaly("a"), at=1))
        again = store.commit(a_batch(an_anomaly("b"), an_anomaly("c"), at=2))

        assert [anomaly.key for _, anomaly in first] == ["a", "b"]
        assert [anomaly.key for _, anomaly in again] == ["c"]
        assert len({row for row, _ in (*first, *again)}) == 3
        assert [self.rows(engine, table) for table in TABLES] == [1, 1, 3, 1, 1, 0]

    def test_a_commit_that_fails_leaves_nothing(self, engine: Engine) -> None:
        store = Store(engine, "it")
        store.commit(a_batch(at=1))
        bad = a_batch(an_anomaly(), at=2, trace=2)
        bad.agents["third"] = {"volume": {"cannot": object()}}

        with pytest.raises(TypeError):
            store.commit(bad)

        assert store.progress()[0] == Position(1, 1)
        assert [self.rows(engine, table) for table in TABLES] == [1, 1, 0, 1, 1, 0]

    def test_what_nobody_was_told_of_is_given_again_until_it_is(self, engine: Engine) -> None:
        store = Store(engine, "it")
        made = store.commit(a_batch(an_anomaly("a"), an_anomaly("b"), an_anomaly("c", trace_id=ident(9, 16))))

        untold = store.untold()
        assert [(each.id, each.anomaly) for each in untold] == made
        assert [each.run.seen for each in untold] == [100.0] * 3
        assert untold[0].run.agent_id == "billing"
        store.mark_told([made[0][0], made[2][0]], "spooled", 200.0)
        assert [each.anomaly.key for each in store.untold()] == ["b"]
        store.mark_told([made[1][0]], "sent", 200.0)
        assert store.untold() == []

    def test_an_alert_is_acknowledged_once(self, engine: Engine) -> None:
        ((row, _),) = Store(engine, "it").commit(a_batch(an_anomaly()))

        assert acknowledge(engine, row, "ada", 300.0)
        assert not acknowledge(engine, row, "bob", 400.0)
        assert not acknowledge(engine, row + 1, "bob", 400.0)
        with engine.connect() as connection:
            found = connection.execute(select(ALERTS.c.acknowledged, ALERTS.c.acknowledged_by)).one()
        assert tuple(found) == (300.0, "ada")

    def test_runs_that_are_open_and_began_before_are_found(self, engine: Engine) -> None:
        store = Store(engine, "it")
        for number in (1, 2, 3):
            batch = a_batch(at=number * 10, trace=number)
            batch.runs[0].closed = "root" if number == 2 else ""
            store.commit(batch)

        assert list(store.open_before(Position(1, 30))) == [ident(1, 16)]
        assert list(store.open_before(Position(2, 0))) == [ident(1, 16), ident(3, 16)]

    def test_what_is_too_old_goes_and_what_is_not_told_stays(self, engine: Engine) -> None:
        store = Store(engine, "it")
        for number in range(1, 1_203):
            store.commit(a_batch(an_anomaly(f"k{number}"), at=number, trace=number, agent=f"a{number}", now=number))
        told = [each.id for each in store.untold()]
        store.mark_told(told, "sent", 2.0)

        deleted = deletion.delete_before(engine, 1_101)

        assert deleted == (1_100, 1_100, 1_000, 1_100)
        assert [self.rows(engine, table) for table in TABLES] == [102, 102, 202, 102, 1, 0]

    def test_everything_about_an_agent_goes_and_its_traces_are_remembered(self, engine: Engine) -> None:
        store = Store(engine, "it")
        for number in range(1, 7):
            agent = "billing" if number % 2 else "support"
            store.commit(a_batch(an_anomaly(f"k{number}", agent_id=agent), at=number, trace=number, agent=agent))

        assert deletion.delete_agent(engine, "billing", 500.0) == (3, 3, 3, 1)

        assert [self.rows(engine, table) for table in TABLES] == [3, 3, 3, 1, 1, 1]
        (erasure,) = deletion.erasures(engine)
        assert (erasure.agent_id, erasure.last_segment) == ("billing", None)
        assert erasure.traces == {ident(1, 16), ident(3, 16), ident(5, 16)} == store.erased()
        deletion.heard(engine, erasure.id, 4)
        assert deletion.erasures(engine)[0].last_segment == 4
        deletion.done(engine, erasure.id)
        assert deletion.erasures(engine) == []
        assert deletion.delete_agent(engine, "billing", 600.0) == (0, 0, 0, 0)

    def test_a_reader_sees_whole_commits_beside_the_writer(self, engine: Engine) -> None:
        store = Store(engine, "it")
        ended = threading.Event()
        torn: list[Any] = []

        def read() -> None:
            while not ended.is_set():
                with engine.connect() as connection:
                    query = select(PROGRESS.c.counted_offset, select(func.count(RUNS.c.trace_id)).scalar_subquery())
                    row = connection.execute(query).one_or_none()
                if row is not None and row[0] != row[1]:
                    torn.append(tuple(row))

        reader = threading.Thread(target=read)
        reader.start()
        for number in range(1, 60):
            store.commit(a_batch(at=number, trace=number))
        ended.set()
        reader.join()
        assert torn == []

    def test_a_teller_and_a_scorer_write_side_by_side(self, engine: Engine) -> None:
        store = Store(engine, "it")
        ended = threading.Event()
        failed: list[Exception] = []

        def tell() -> None:
            last = False
            while not last:
                last = ended.is_set()
                try:
                    store.mark_told([each.id for each in store.untold()], "sent", 1.0)
                except Exception as error:
                    failed.append(error)
                    return

        teller = threading.Thread(target=tell)
        teller.start()
        for number in range(1, 80):
            store.commit(a_batch(an_anomaly(f"k{number}"), at=number, trace=number))
        ended.set()
        teller.join()
        assert failed == []
        assert store.untold() == []

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.text(max_size=900),
        st.text(st.characters(min_codepoint=0x10000), max_size=900),
        st.one_of(st.integers(0, 2**64 - 1), st.integers(2**62, 2**65)),
        st.sampled_from(("\x00", "\ud800", "\U0010ffff" * 3_000, "a" * 16_384)),
    )
    def test_nothing_that_an_agent_sends_stops_a_commit(
        self, engine: Engine, text: str, wide: str, number: int, odd: str
    ) -> None:
        step = a_step(
            1,
            start=number,
            end=number,
            name=wide + odd,
            agent_id=text,
            service=odd,
            verdict=odd,
            rule=wide,
            reason=odd + text,
            mode=wide,
            environment=odd,
            session_id=wide + odd,
        )
        run = a_run(step, agent_id=odd + text, session_id=wide, environment=odd, service=text, tokens=number * 5_000)
        anomaly = an_anomaly(wide + odd, agent_id=odd + wide, tool=odd, reason=odd, evidence=(text, odd, wide))
        batch = Batch(
            counted=Position(1, 1),
            resume=Position(1, 1),
            runs=[run],
            verdicts=[(run, step)],
            anomalies=[anomaly],
            agents={odd + text: {"check": {"n": number % 2**63}}},
            now=1.0,
        )

        Store(engine, odd + wide).commit(batch)

        assert Store(engine, odd + wide).progress()[0] == Position(1, 1)
        assert Store(engine, "it").states_of([odd + text]) == {odd + text: {"check": {"n": number % 2**63}}}

    def test_two_long_names_that_begin_alike_stay_two(self, engine: Engine) -> None:
        store = Store(engine, "it")
        names = ["a" * 5_000 + end for end in "xy"]
        for number, name in enumerate(names, 1):
            store.commit(a_batch(an_anomaly(name * 2), at=number, trace=number, agent=name))

        assert store.states_of(names) == {name: {"volume": {"seen": n}} for n, name in enumerate(names, 1)}
        assert [self.rows(engine, table) for table in TABLES] == [2, 2, 2, 2, 1, 0]

    def test_times_before_the_epoch_and_beyond_are_kept_as_far_as_a_column_goes(self, engine: Engine) -> None:
        batch = a_batch()
        batch.runs[0].started, batch.runs[0].ended = 0, 2**64 - 1
        Store(engine, "it").commit(batch)
        with engine.connect() as connection:
            assert tuple(connection.execute(select(RUNS.c.started, RUNS.c.ended)).one()) == (0, 2**63 - 1)
        assert START < 2**63
