"""Deletion: what is older than it may be, and everything about one agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import delete, insert, select, tuple_, update

from agentcop_detectors.store.tables import AGENTS, ALERTS, ERASURES, RUNS, VERDICTS
from agentcop_detectors.store.text import NAME, bounded

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, Table

_CHUNK: Final = 500
"""Rows of one transaction: the scorer, which writes beside us, waits no longer than that takes."""
_TRACE: Final = 16


class Deleted(NamedTuple):
    """How many rows went."""

    runs: int = 0
    verdicts: int = 0
    alerts: int = 0
    agents: int = 0


class Erasure(NamedTuple):
    """An agent whose spans are still to be taken out of the segments."""

    id: int
    agent_id: str
    traces: set[bytes]
    last_segment: int | None
    """The last segment that may hold them; None: the scorer has not heard of it yet."""


def delete_before(engine: Engine, when: float) -> Deleted:
    """Delete runs, verdicts, alerts and agents of which nothing was heard since `when`.

    Seconds since the epoch, by our clock. An alert that is still to be told of stays until it is. Blocks, in short
    transactions; raises SQLAlchemyError.
    """
    runs = verdicts = 0
    while True:
        with engine.begin() as connection:
            traces = list(connection.execute(select(RUNS.c.trace_id).where(RUNS.c.seen < when).limit(_CHUNK)).scalars())
            if not traces:
                break
            verdicts += connection.execute(delete(VERDICTS).where(VERDICTS.c.trace_id.in_(traces))).rowcount
            runs += connection.execute(delete(RUNS).where(RUNS.c.trace_id.in_(traces), RUNS.c.seen < when)).rowcount
    old = (ALERTS.c.raised < when) & (ALERTS.c.told != "pending")
    return Deleted(
        runs=runs,
        verdicts=verdicts,
        alerts=_delete_chunks(engine, ALERTS, old),
        agents=_delete_chunks(engine, AGENTS, AGENTS.c.seen < when),
    )


def delete_agent(engine: Engine, agent_id: str, now: float) -> Deleted:
    """Delete every row about an agent, and ask for its spans to be taken out of the segments. Raises SQLAlchemyError.

    What is its own is what names it: runs of which it is the outermost agent, and calls and alerts about it in runs of
    others. Of those others' runs the spans stay. A scorer that runs meanwhile lets go of it within a second or so.
    """
    agent = bounded(agent_id, NAME)
    with engine.connect() as connection:
        traces = list(connection.execute(select(RUNS.c.trace_id).where(RUNS.c.agent_id == agent)).scalars())
    with engine.begin() as connection:
        # Before the rows go, so that a kill in between forgets no trace.
        for start in range(0, len(traces) or 1, _TRACE * _CHUNK):
            packed = b"".join(map(bytes, traces[start : start + _TRACE * _CHUNK]))
            connection.execute(insert(ERASURES), {"agent_id": agent, "asked": now, "traces": packed})
    return delete_rows_of(engine, agent)


def delete_rows_of(engine: Engine, agent: str) -> Deleted:
    """Delete every row about an agent. Blocks, in short transactions; raises SQLAlchemyError."""
    return Deleted(
        runs=_delete_chunks(engine, RUNS, RUNS.c.agent_id == agent),
        verdicts=_delete_chunks(engine, VERDICTS, VERDICTS.c.agent_id == agent),
        alerts=_delete_chunks(engine, ALERTS, ALERTS.c.agent_id == agent),
        agents=_delete_chunks(engine, AGENTS, AGENTS.c.agent_id == agent),
    )


def erasures(engine: Engine) -> list[Erasure]:
    """What is still to be done, oldest first."""
    with engine.connect() as connection:
        rows = connection.execute(select(ERASURES).order_by(ERASURES.c.id)).all()
    return [Erasure(row.id, row.agent_id, _split(bytes(row.traces)), row.last_segment) for row in rows]


def heard(engine: Engine, erasure_id: int, last_segment: int) -> None:
    """The scorer has let go of the agent; spans up to this segment are to be taken out."""
    with engine.begin() as connection:
        connection.execute(update(ERASURES).where(ERASURES.c.id == erasure_id).values(last_segment=last_segment))


def done(engine: Engine, erasure_id: int) -> None:
    """The segments hold nothing of it any more."""
    with engine.begin() as connection:
        connection.execute(delete(ERASURES).where(ERASURES.c.id == erasure_id))


def _delete_chunks(engine: Engine, table: Table, condition: ColumnElement[bool]) -> int:
    deleted = 0
    while count := _delete_chunk(engine, table, condition):
        deleted += count
    return deleted


def _delete_chunk(engine: Engine, table: Table, condition: ColumnElement[bool]) -> int:
    keys = list(table.primary_key)
    with engine.begin() as connection:
        found = connection.execute(select(*keys).where(condition).limit(_CHUNK)).all()
        return _delete_keys(connection, table, keys, found) if found else 0


def _delete_keys(connection: Connection, table: Table, keys: list[Any], found: Any) -> int:  # noqa: ANN401 -- rows
    if len(keys) == 1:
        return connection.execute(delete(table).where(keys[0].in_([row[0] for row in found]))).rowcount
    return connection.execute(delete(table).where(tuple_(*keys).in_([tuple(row) for row in found]))).rowcount


def _split(packed: bytes) -> set[bytes]:
    return {packed[start : start + _TRACE] for start in range(0, len(packed), _TRACE)}
