"""What the scorer made of a batch, in one transaction with how far it has read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
from sqlalchemy import insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from agentcop_detectors.checks._interface import whose
from agentcop_detectors.segments.tail import BEGINNING, Position
from agentcop_detectors.store.alerts import mark_told, untold
from agentcop_detectors.store.deletion import erasures
from agentcop_detectors.store.tables import AGENTS, ALERTS, PROGRESS, RUNS, VERDICTS
from agentcop_detectors.store.text import NAME, bounded, sound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Engine, Row, Table

    from agentcop_detectors.checks._interface import Anomaly, State
    from agentcop_detectors.run import Closed, Run
    from agentcop_detectors.step import Step
    from agentcop_detectors.store.alerts import Told, Untold

_KEY: Final = 400
_TEXT: Final = 4_000
_CHUNK: Final = 500
_OPEN: Final = 10_000


class Known(NamedTuple):
    """What the database knows of a run."""

    closed: Closed
    closings: int
    first: Position
    last_segment: int


@dataclass(slots=True, kw_only=True)
class Batch:
    """Everything that one transaction brings."""

    counted: Position
    resume: Position
    runs: list[Run] = field(default_factory=list)
    verdicts: list[tuple[Run, Step]] = field(default_factory=list)
    """Calls that were not simply allowed."""
    anomalies: list[Anomaly] = field(default_factory=list)
    agents: dict[str, dict[str, State]] = field(default_factory=dict)
    """Agent id to check to what it remembers: those that changed."""
    now: float = 0.0


class Store:
    """The scorer's side of the database. One thread; every method blocks."""

    def __init__(self, engine: Engine, source: str) -> None:
        """`source`: whose positions are kept: the segment log's folder."""
        self._engine = engine
        self._source = bounded(source, NAME)

    def progress(self) -> tuple[Position, Position]:
        """`counted` and `resume`, as committed last."""
        with self._engine.connect() as connection:
            row = connection.execute(select(PROGRESS).where(PROGRESS.c.source == self._source)).one_or_none()
        if row is None:
            return BEGINNING, BEGINNING
        return (
            Position(row.counted_segment, row.counted_offset),
            Position(row.resume_segment, row.resume_offset),
        )

    def states_of(self, agent_ids: Sequence[str]) -> dict[str, dict[str, State]]:
        """What is remembered of some agents; those that are new are not in it."""
        by_name = {bounded(agent_id, NAME): agent_id for agent_id in agent_ids}
        found: dict[str, dict[str, State]] = {}
        names = list(by_name)
        with self._engine.connect() as connection:
            for start in range(0, len(names), _CHUNK):
                query = select(AGENTS.c.agent_id, AGENTS.c.state).where(
                    AGENTS.c.agent_id.in_(names[start : start + _CHUNK])
                )
                for name, packed in connection.execute(query):
                    found[by_name[name]] = orjson.loads(packed)
        return found

    def known(self, trace_ids: Sequence[bytes]) -> dict[bytes, Known]:
        """Those of the traces of which there is a run."""
        found: dict[bytes, Known] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(trace_ids), _CHUNK):
                query = select(*_KNOWN).where(RUNS.c.trace_id.in_(trace_ids[start : start + _CHUNK]))
                found.update(_known(row) for row in connection.execute(query))
        return found

    def open_before(self, position: Position) -> dict[bytes, Known]:
        """The runs that are open and began before a position, at most ten thousand."""
        began = tuple_(RUNS.c.first_segment, RUNS.c.first_offset)
        query = (
            select(*_KNOWN)
            .where(RUNS.c.closed == "", began < tuple_(*position))
            .order_by(RUNS.c.first_segment, RUNS.c.first_offset)
            .limit(_OPEN)
        )
        with self._engine.connect() as connection:
            return dict(_known(row) for row in connection.execute(query))

    def erased(self) -> set[bytes]:
        """Traces of deleted agents whose spans may still lie in the segments."""
        return set().union(*(erasure.traces for erasure in erasures(self._engine)))

    def commit(self, batch: Batch) -> list[tuple[int, Anomaly]]:
        """Write all of it or nothing; the anomalies that were not known before, with the ids of their rows.

        Raises SQLAlchemyError.
        """
        with self._engine.begin() as connection:
            _upsert(connection, RUNS, [_run_row(run) for run in batch.runs], ("trace_id",))
            _upsert(connection, VERDICTS, [_verdict_row(*each) for each in batch.verdicts], ("trace_id", "span_id"))
            new = self._alerts(connection, batch)
            agents = [
                {"agent_id": bounded(agent, NAME), "state": orjson.dumps(state), "seen": batch.now}
                for agent, state in batch.agents.items()
            ]
            _upsert(connection, AGENTS, agents, ("agent_id",))
            row = {
                "source": self._source,
                "counted_segment": batch.counted.segment,
                "counted_offset": batch.counted.offset,
                "resume_segment": batch.resume.segment,
                "resume_offset": batch.resume.offset,
            }
            _upsert(connection, PROGRESS, [row], ("source",))
        return new

    def untold(self) -> list[Untold]:
        """The alerts that a kill left between the database and the teller, oldest first; at most a thousand."""
        return untold(self._engine)

    def mark_told(self, ids: Iterable[int], told: Told, now: float) -> None:
        """Write down what became of some alerts. This one may be called from any thread."""
        mark_told(self._engine, ids, told, now)

    def _alerts(self, connection: Connection, batch: Batch) -> list[tuple[int, Anomaly]]:
        by_key: dict[str, Anomaly] = {}
        for anomaly in batch.anomalies:
            by_key.setdefault(bounded(anomaly.key, _KEY), anomaly)
        if not by_key:
            return []
        keys = list(by_key)
        known: set[str] = set()
        for start in range(0, len(keys), _CHUNK):
            query = select(ALERTS.c.key).where(ALERTS.c.key.in_(keys[start : start + _CHUNK]))
            known.update(connection.execute(query).scalars())
        new = {key: anomaly for key, anomaly in by_key.items() if key not in known}
        if not new:
            return []
        rows = [_alert_row(key, each, batch.now) for key, each in new.items()]
        statement = insert(ALERTS).returning(ALERTS.c.id, sort_by_parameter_order=True)
        ids = connection.execute(statement, rows).scalars().all()
        return list(zip(ids, new.values(), strict=True))


_KNOWN: Final = (
    RUNS.c.trace_id,
    RUNS.c.closed,
    RUNS.c.closings,
    RUNS.c.first_segment,
    RUNS.c.first_offset,
    RUNS.c.last_segment,
)


def _known(row: Row[*tuple[Any, ...]]) -> tuple[bytes, Known]:
    first = Position(row.first_segment, row.first_offset)
    return bytes(row.trace_id), Known(row.closed, row.closings, first, row.last_segment)


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]], keys: tuple[str, ...]) -> None:
    if not rows:
        return
    # One row a key: PostgreSQL refuses a statement that would change a row twice.
    unique = list({tuple(row[key] for key in keys): row for row in rows}.values())
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), unique)


def _run_row(run: Run) -> dict[str, Any]:
    return {
        "trace_id": run.trace_id,
        "agent_id": bounded(whose(run), NAME),
        "session_id": bounded(run.session_id, NAME),
        "environment": bounded(run.environment, NAME),
        "service": bounded(run.service, NAME),
        "started": _number(run.started),
        "ended": _number(run.ended),
        "seen": run.seen,
        "steps": run.total,
        "tool_calls": run.tool_calls,
        "blocked": run.blocked,
        "held": run.held,
        "unenforced": run.unenforced,
        "tokens": _number(run.tokens),
        "dropped": run.dropped,
        "closed": run.closed,
        "closings": run.closings,
        "first_segment": run.first.segment,
        "first_offset": run.first.offset,
        "last_segment": run.last_segment,
    }


def _verdict_row(run: Run, step: Step) -> dict[str, Any]:
    return {
        "trace_id": step.trace_id,
        "span_id": step.span_id,
        "agent_id": bounded(whose(run, step), NAME),
        "tool": bounded(step.name, NAME),
        "verdict": bounded(step.verdict, 20),
        "rule": bounded(step.rule, NAME),
        "reason": sound(step.reason)[:_TEXT],
        "mode": bounded(step.mode, 20),
        "started": _number(step.start),
    }


def _alert_row(key: str, anomaly: Anomaly, now: float) -> dict[str, Any]:
    return {
        "key": key,
        "kind": anomaly.check,
        "severity": anomaly.severity,
        "agent_id": bounded(anomaly.agent_id, NAME),
        "tool": bounded(anomaly.tool, NAME),
        "trace_id": anomaly.trace_id,
        "span_id": anomaly.span_id,
        "reason": sound(anomaly.reason)[:_TEXT],
        "evidence": orjson.dumps([sound(line)[:_TEXT] for line in anomaly.evidence]).decode(),
        "raised": now,
        "told": "pending",
    }


def _number(number: int) -> int:
    """A hostile number beyond 63 bits is as much as a column can say."""
    return max(-(2**63), min(number, 2**63 - 1))
