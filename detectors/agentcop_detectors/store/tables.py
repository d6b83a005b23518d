"""The tables: what is kept of runs and verdicts, the alerts, what is remembered of each agent, and how far was read.

Spans are not here: they stay in the sealed segments. A change here needs a migration beside it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA = MetaData(naming_convention=_NAMES)

RUNS = Table(
    "runs",
    METADATA,
    Column("trace_id", LargeBinary(16), primary_key=True),
    Column("agent_id", String(300), nullable=False),
    Column("session_id", String(300), nullable=False),
    Column("environment", String(300), nullable=False),
    Column("service", String(300), nullable=False),
    Column("started", BigInteger, nullable=False, comment="nanoseconds since the epoch, by the sender's clock"),
    Column("ended", BigInteger, nullable=False),
    Column("seen", Float, nullable=False, comment="seconds since the epoch, by our clock"),
    Column("steps", Integer, nullable=False),
    Column("tool_calls", Integer, nullable=False),
    Column("blocked", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("unenforced", Integer, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("dropped", Integer, nullable=False),
    Column("closed", String(8), nullable=False, comment='"" while it is open'),
    Column("closings", Integer, nullable=False, comment="how often it was closed: what comes late opens it again"),
    Column("first_segment", BigInteger, nullable=False, comment="the frame of its first span"),
    Column("first_offset", BigInteger, nullable=False),
    Column("last_segment", BigInteger, nullable=False, comment="the segment of its last span"),
    Index("ix_runs_agent_seen", "agent_id", "seen"),
    Index("ix_runs_seen", "seen"),
    Index("ix_runs_session", "session_id"),
)
"""One row a run."""

VERDICTS = Table(
    "verdicts",
    METADATA,
    Column("trace_id", LargeBinary(16), primary_key=True),
    Column("span_id", LargeBinary(8), primary_key=True),
    Column("agent_id", String(300), nullable=False),
    Column("tool", String(300), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("rule", String(300), nullable=False),
    Column("reason", Text, nullable=False),
    Column("mode", String(20), nullable=False),
    Column("started", BigInteger, nullable=False),
    Index("ix_verdicts_agent_started", "agent_id", "started"),
)
"""One row for each call that was not simply allowed."""

ALERTS = Table(
    "alerts",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(400), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("agent_id", String(300), nullable=False),
    Column("tool", String(300), nullable=False),
    Column("trace_id", LargeBinary(16), nullable=False),
    Column("span_id", LargeBinary(8), nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", Text, nullable=False, comment="JSON: a list of sentences"),
    Column("raised", Float, nullable=False, comment="seconds since the epoch, by our clock"),
    Column("told", String(16), nullable=False, comment="see store.alerts.Told"),
    Column("told_at", Float, nullable=True),
    Column("acknowledged", Float, nullable=True, comment="seconds since the epoch; NULL: nobody did"),
    Column("acknowledged_by", String(300), nullable=False, server_default=""),
    UniqueConstraint("key"),
    Index("ix_alerts_agent_raised", "agent_id", "raised"),
    Index("ix_alerts_raised", "raised"),
    Index("ix_alerts_told", "told"),
    sqlite_autoincrement=True,  # no id is given twice: a message that is on its way names its row
)
"""One row a finding; the key keeps what is read twice from being told twice."""

AGENTS = Table(
    "agents",
    METADATA,
    Column("agent_id", String(300), primary_key=True),
    Column("state", LargeBinary, nullable=False, comment="JSON: check → what it remembers"),
    Column("seen", Float, nullable=False),
)
"""What is remembered of one agent between its runs."""

ERASURES = Table(
    "erasures",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("agent_id", String(300), nullable=False),
    Column("asked", Float, nullable=False, comment="seconds since the epoch, by our clock"),
    Column("traces", LargeBinary, nullable=False, comment="16 bytes each: what is to be taken out of the segments"),
    Column("last_segment", BigInteger, nullable=True, comment="NULL: the scorer has not heard of it yet"),
)
"""Agents whose rows were deleted and whose spans are still to be taken out of the segments."""

PROGRESS = Table(
    "progress",
    METADATA,
    Column("source", String(300), primary_key=True, comment="whose positions these are: the segment log's folder"),
    Column("counted_segment", BigInteger, nullable=False),
    Column("counted_offset", BigInteger, nullable=False),
    Column("resume_segment", BigInteger, nullable=False),
    Column("resume_offset", BigInteger, nullable=False),
)
"""How far was read: see the decision about the scorer that can be killed."""
