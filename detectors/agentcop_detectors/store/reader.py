"""What pages and commands ask the database: bounded, newest first. Every text of it is somebody else's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import orjson
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import and_, event, make_url, or_, select, true
from sqlalchemy import create_engine as create
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from agentcop_detectors.store.alerts import acknowledge
from agentcop_detectors.store.database import DatabaseUnusable
from agentcop_detectors.store.tables import ALERTS, RUNS

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import ColumnElement, Engine, Row

    from agentcop_core.alert import Severity
    from agentcop_detectors.store.alerts import Told

PAGE: Final = 100
_MOST: Final = 1_000
_MIGRATIONS: Final = "agentcop_detectors.store:migrations"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlert:
    """One row of the alerts."""

    id: int
    kind: str
    """The check that found it."""
    severity: Severity
    agent_id: str
    tool: str
    reason: str
    evidence: tuple[str, ...]
    trace_id: str
    """Hex digits; "" where no run stands behind it."""
    span_id: str
    raised: float
    told: Told
    told_at: float
    """0: not yet."""
    acknowledged: float
    """0: nobody did."""
    acknowledged_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """One row of the runs."""

    trace_id: str
    agent_id: str
    session_id: str
    environment: str
    service: str
    started: int
    """Nanoseconds since the epoch, by the sender's clock."""
    ended: int
    seen: float
    """Seconds since the epoch, by the detector's."""
    steps: int
    tool_calls: int
    blocked: int
    held: int
    unenforced: int
    tokens: int
    closed: str
    """"" while it is open."""


class Reader:
    """Questions to the detector's database, from any thread; each blocks and raises SQLAlchemyError."""

    def __init__(self, engine: Engine) -> None:
        """`engine`: of `open_database`, or of `connect` where nothing may be changed in its schema."""
        self._engine = engine

    def alerts(  # noqa: PLR0913 -- each filter may be left out
        self,
        *,
        limit: int = PAGE,
        before: int | None = None,
        agent_id: str = "",
        severity: str = "",
        trace_id: str = "",
        only_open: bool = False,
    ) -> list[StoredAlert]:
        """Alerts, newest first; `before`: only those with a lower id; `only_open`: not acknowledged."""
        wanted: list[ColumnElement[bool]] = []
        if before is not None:
            wanted.append(ALERTS.c.id < before)
        if agent_id:
            wanted.append(ALERTS.c.agent_id == agent_id)
        if severity:
            wanted.append(ALERTS.c.severity == severity)
        if trace_id:
            wanted.append(ALERTS.c.trace_id == _bytes(trace_id))
        if only_open:
            wanted.append(ALERTS.c.acknowledged.is_(None))
        query = select(ALERTS).where(and_(true(), *wanted)).order_by(ALERTS.c.id.desc()).limit(min(limit, _MOST))
        with self._engine.connect() as connection:
            return [_alert(row) for row in connection.execute(query)]

    def alert(self, alert_id: int) -> StoredAlert | None:
        """One alert; None if there is none."""
        with self._engine.connect() as connection:
            row = connection.execute(select(ALERTS).where(ALERTS.c.id == alert_id)).one_or_none()
        return None if row is None else _alert(row)

    def runs(
        self, *, limit: int = PAGE, before: tuple[float, str] | None = None, agent_id: str = ""
    ) -> list[StoredRun]:
        """Runs, the one heard of last first; `before`: `seen` and trace id of the last one of the page before."""
        query = select(RUNS).order_by(RUNS.c.seen.desc(), RUNS.c.trace_id.desc()).limit(min(limit, _MOST))
        if before is not None:
            seen, trace_id = before
            same = and_(RUNS.c.seen == seen, RUNS.c.trace_id < _bytes(trace_id))
            query = query.where(or_(RUNS.c.seen < seen, same))
        if agent_id:
            query = query.where(RUNS.c.agent_id == agent_id)
        with self._engine.connect() as connection:
            return [_run(row) for row in connection.execute(query)]

    def run(self, trace_id: str) -> StoredRun | None:
        """One run, by 32 hex digits; None if there is none."""
        with self._engine.connect() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.trace_id == _bytes(trace_id))).one_or_none()
        return None if row is None else _run(row)

    def acknowledge(self, alert_id: int, by: str, now: float) -> bool:
        """Write down that `by` took the alert on; False for one that is not there, or was acknowledged before."""
        return acknowledge(self._engine, alert_id, by, now)


def connect(url: str) -> Engine:
    """An engine to a database that a detector made; its schema is left as it is. Blocks; raises DatabaseUnusable.

    Nothing is created: a SQLite file that is not there is an error.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseUnusable("the database URL cannot be read: it looks like sqlite:///PATH") from None
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        parsed = parsed.set(database=f"file:{parsed.database}", query={**parsed.query, "mode": "rw", "uri": "true"})
    engine = None
    try:
        engine = create(parsed, pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _patient)
        with engine.connect() as connection:
            there = MigrationContext.configure(connection).get_current_heads()
    except ModuleNotFoundError as error:
        raise DatabaseUnusable(f"{shown} needs the Python package {error.name}: pip install {error.name}") from None
    except (SQLAlchemyError, OSError) as error:
        if engine is not None:
            engine.dispose()
        said = str(getattr(error, "orig", None) or error).partition("\n")[0][:300]
        raise DatabaseUnusable(f"{shown} cannot be opened: {said}") from None
    needed = _script_heads()
    if there != needed:
        engine.dispose()
        raise DatabaseUnusable(
            f"{shown} is of another version of agentcop ({', '.join(there) or 'none'}, not {', '.join(needed)}): "
            "use the command of the version that runs the detector"
        )
    return engine


def _script_heads() -> tuple[str, ...]:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    return tuple(ScriptDirectory.from_config(config).get_heads())


def _patient(connection: object, _: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a DB-API connection
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def _bytes(trace_id: str) -> bytes:
    """The id as the database has it; one that is none is in no row."""
    try:
        return bytes.fromhex(trace_id)
    except ValueError:
        return b"\x00none"


def _alert(row: Row[Any]) -> StoredAlert:
    evidence = orjson.loads(row.evidence)
    return StoredAlert(
        id=row.id,
        kind=row.kind,
        severity=cast("Severity", row.severity),
        agent_id=row.agent_id,
        tool=row.tool,
        reason=row.reason,
        evidence=tuple(map(str, evidence)) if isinstance(evidence, list) else (),
        trace_id=bytes(row.trace_id).hex(),
        span_id=bytes(row.span_id).hex(),
        raised=row.raised,
        told=cast("Told", row.told),
        told_at=row.told_at or 0.0,
        acknowledged=row.acknowledged or 0.0,
        acknowledged_by=row.acknowledged_by,
    )


def _run(row: Row[Any]) -> StoredRun:
    return StoredRun(
        trace_id=bytes(row.trace_id).hex(),
        agent_id=row.agent_id,
        session_id=row.session_id,
        environment=row.environment,
        service=row.service,
        started=row.started,
        ended=row.ended,
        seen=row.seen,
        steps=row.steps,
        tool_calls=row.tool_calls,
        blocked=row.blocked,
        held=row.held,
        unenforced=row.unenforced,
        tokens=row.tokens,
        closed=row.closed,
    )
