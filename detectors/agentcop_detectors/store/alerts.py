"""The alerts' rows after they were written: what became of each, and which are still to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import orjson
from sqlalchemy import select, update

from agentcop_detectors.checks._interface import Anomaly
from agentcop_detectors.run import Run
from agentcop_detectors.store.tables import ALERTS, RUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Engine, Row

Told = Literal["pending", "spooled", "sent", "rolled_up", "digest", "nobody", "failed"]
"""`pending`: in the database, and nothing more. `spooled`: the outbox on disk has it, and sends it until it arrives.
`sent`: a channel took it. `rolled_up`: counted in the message of another. `digest`: waits for the daily one.
`nobody`: no channel is configured for it. `failed`: every channel refused it for good."""

_AT_ONCE: Final = 1_000
_CHUNK: Final = 500


class Untold(NamedTuple):
    """An alert that is to be told of."""

    id: int
    """Of its row."""
    anomaly: Anomaly
    run: Run
    """Read from the database its steps are not in it: SpanStore.trace has them."""


def untold(engine: Engine, limit: int = _AT_ONCE) -> list[Untold]:
    """The alerts that a kill left between the database and the teller, oldest first. Blocks; raises SQLAlchemyError."""
    query = (
        select(ALERTS, RUNS.c.session_id, RUNS.c.environment, RUNS.c.service, RUNS.c.started, RUNS.c.ended, RUNS.c.seen)
        .add_columns(RUNS.c.agent_id.label("run_agent_id"), RUNS.c.closed, RUNS.c.dropped)
        .join_from(ALERTS, RUNS, ALERTS.c.trace_id == RUNS.c.trace_id, isouter=True)
        .where(ALERTS.c.told == "pending")
        .order_by(ALERTS.c.id)
        .limit(limit)
    )
    with engine.connect() as connection:
        return [Untold(row.id, _anomaly(row), _run(row)) for row in connection.execute(query)]


def mark_told(engine: Engine, ids: Iterable[int], told: Told, now: float) -> None:
    """Write down what became of some alerts. From any thread; blocks; raises SQLAlchemyError."""
    listed = list(ids)
    with engine.begin() as connection:
        for start in range(0, len(listed), _CHUNK):
            part: Sequence[int] = listed[start : start + _CHUNK]
            connection.execute(update(ALERTS).where(ALERTS.c.id.in_(part)).values(told=told, told_at=now))


def acknowledge(engine: Engine, alert_id: int, by: str, now: float) -> bool:
    """Write down that a person took an alert on; False for one that is not there or was acknowledged before."""
    statement = (
        update(ALERTS)
        .where(ALERTS.c.id == alert_id, ALERTS.c.acknowledged.is_(None))
        .values(acknowledged=now, acknowledged_by=by[:300])
    )
    with engine.begin() as connection:
        return connection.execute(statement).rowcount == 1


def _anomaly(row: Row[tuple[object, ...]]) -> Anomaly:
    return Anomaly(
        check=row.kind,
        severity=row.severity,
        agent_id=row.agent_id,
        tool=row.tool,
        reason=row.reason,
        evidence=tuple(orjson.loads(row.evidence)),
        trace_id=bytes(row.trace_id),
        span_id=bytes(row.span_id),
        key=row.key,
    )


def _run(row: Row[tuple[object, ...]]) -> Run:
    return Run(
        trace_id=bytes(row.trace_id),
        agent_id=row.run_agent_id or row.agent_id,
        session_id=row.session_id or "",
        environment=row.environment or "",
        service=row.service or "",
        started=row.started or 0,
        ended=row.ended or 0,
        seen=row.seen or row.raised,
        dropped=row.dropped or 0,
        closed=row.closed or "",
    )
