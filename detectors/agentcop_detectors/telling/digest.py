"""What went over a day's budget, as one message an agent when the day is over."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import select

from agentcop_core.alert import Alert, rank
from agentcop_detectors.store.tables import ALERTS
from agentcop_detectors.telling.budget import DAY
from agentcop_detectors.telling.ledger import ref_of
from agentcop_detectors.telling.shown import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Engine

_AT_ONCE: Final = 20_000
_LINES: Final = 20
_NAME: Final = 80


class Digest(NamedTuple):
    """One agent's."""

    alert: Alert
    refs: tuple[str, ...]


def digests(engine: Engine, now: float, known: Collection[str]) -> list[Digest]:
    """One of each agent that has alerts of days that are over (UTC); `known`: refs that are in a message already.

    At most 20,000 alerts at a time: the rest follows at the next call. Blocks; raises SQLAlchemyError.
    """
    midnight = now // DAY * DAY
    columns = (ALERTS.c.id, ALERTS.c.key, ALERTS.c.kind, ALERTS.c.severity, ALERTS.c.agent_id, ALERTS.c.tool)
    query = (
        select(*columns)
        .where(ALERTS.c.told == "digest", ALERTS.c.told_at < midnight)
        .order_by(ALERTS.c.id)
        .limit(_AT_ONCE)
    )
    by_agent: dict[str, list[Any]] = {}
    with engine.connect() as connection:
        for row in connection.execute(query):
            if ref_of(row.id, row.key) not in known:
                by_agent.setdefault(row.agent_id, []).append(row)
    return [_digest(agent, rows, now) for agent, rows in by_agent.items()]


def _digest(agent: str, rows: Sequence[Any], now: float) -> Digest:
    counts = Counter((row.severity, row.kind, row.tool) for row in rows)
    gravest = sorted(counts.items(), key=lambda each: (-rank(each[0][0]), -each[1], each[0]))
    lines = [
        f"{count:,} times {severity} {kind}{f' on {shown(tool, _NAME)}' if tool else ''}"
        for (severity, kind, tool), count in gravest[:_LINES]
    ]
    if left := gravest[_LINES:]:
        lines.append(f"… +{sum(count for _, count in left):,} of {len(left):,} other kinds")
    alert = Alert(
        kind="digest",
        severity=gravest[0][0][0],
        agent_id=shown(agent, _NAME),
        reason=f"{len(rows):,} alerts went over the budget and were not sent one by one",
        time=now,
        # Names the message: one agent's digests of two days are no repeats of each other.
        call_id=f"{int(now // DAY)}-{rows[0].id}",
        evidence=tuple(lines),
    )
    return Digest(alert, tuple(ref_of(row.id, row.key) for row in rows))
