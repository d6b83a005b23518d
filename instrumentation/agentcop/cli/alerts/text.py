"""Alerts on a terminal of 80 columns, and as JSON. Everything of them is somebody else's text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from agentcop.cli._output import escape, paint, shorten
from agentcop_core.redact import Redactor

if TYPE_CHECKING:
    from agentcop.cli._output import Tone
    from agentcop.cli.alerts.found import Message
    from agentcop_core.alert import Alert
    from agentcop_detectors.store.reader import StoredAlert

_TONES: Final[dict[str, Tone]] = {
    "pending": "ask",
    "spooled": "ask",
    "digest": "ask",
    "sent": "good",
    "rolled_up": "good",
    "failed": "bad",
    "nobody": "bad",
}
TOLD: Final = {
    "pending": "not told yet",
    "spooled": "waits for its channel",
    "digest": "waits for the daily digest",
    "sent": "a channel took it",
    "rolled_up": "counted in another message",
    "failed": "every channel refused it",
    "nobody": "no channel takes it",
}
_INDENT: Final = " " * 10
_NAME: Final = 60
_REASON: Final = 300
_hide = Redactor().redact_text


def message_lines(message: Message, *, colour: bool) -> list[str]:
    """A message: what and who; when and by which rule; where to, and why not."""
    item, alert = message.item, message.item.alert
    count = f"  {item.count} more" if item.repeat else ""
    tries = f" ({item.attempts} attempts)" if item.reason and item.attempts > 1 else ""
    due = f"  due {clock(item.not_before)}" if message.state == "pending" and item.not_before else ""
    lines = [
        _first(message.short, message.state, alert, colour=colour),
        f"{_INDENT}{clock(item.created)}  {line(alert.rule)}{count}",
        f"{_INDENT}→ {line(item.channel_name)}{f'  {line(item.reason, _REASON)}' if item.reason else ''}{tries}{due}",
    ]
    return [*lines, *_taken(item.acknowledged, item.acknowledged_by)]


def row_lines(row: StoredAlert, *, colour: bool) -> list[str]:
    """An alert of the detector: what and who; when; why; what became of it."""
    return [
        _first(str(row.id), row.told, row, colour=colour),
        f"{_INDENT}{clock(row.raised)}  {TOLD.get(row.told, row.told)}",
        f"{_INDENT}{line(row.reason, _REASON)}",
        *_taken(row.acknowledged, row.acknowledged_by),
    ]


def message_json(message: Message) -> dict[str, object]:
    """A message for programs."""
    item, alert = message.item, message.item.alert
    return {
        "state": message.state,
        "id": item.id,
        "time": alert.time,
        "severity": alert.severity,
        "kind": alert.kind,
        "agent_id": _hide(alert.agent_id),
        "tool": _hide(alert.tool),
        "rule": _hide(alert.rule),
        "at": alert.at,
        "why": _hide(alert.reason),
        "session_id": _hide(alert.session_id),
        "trace_id": alert.trace_id,
        "fingerprint": item.thread,
        "count": item.count,
        "repeat": item.repeat,
        "channel": item.channel_name,
        "attempts": item.attempts,
        "reason": item.reason,
        "created": item.created,
        "not_before": item.not_before,
        "settled": item.settled,
        "acknowledged": item.acknowledged,
        "acknowledged_by": _hide(item.acknowledged_by),
    }


def row_json(row: StoredAlert) -> dict[str, object]:
    """An alert of the detector for programs."""
    return {
        "id": row.id,
        "time": row.raised,
        "severity": row.severity,
        "kind": row.kind,
        "agent_id": _hide(row.agent_id),
        "tool": _hide(row.tool),
        "why": _hide(row.reason),
        "evidence": [_hide(each) for each in row.evidence],
        "trace_id": row.trace_id,
        "span_id": row.span_id,
        "told": row.told,
        "told_at": row.told_at,
        "acknowledged": row.acknowledged,
        "acknowledged_by": _hide(row.acknowledged_by),
    }


def clock(when: float) -> str:
    """A time in UTC, `2027-01-15 08:00:00`; the bare number where it is none."""
    try:
        return datetime.fromtimestamp(when, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(when)


def line(text: str, limit: int = _NAME) -> str:
    """Somebody's text on one line, redacted, cut with a count."""
    return escape(shorten(_hide(text), limit))


def _first(name: str, state: str, alert: Alert | StoredAlert, *, colour: bool) -> str:
    painted = paint(f"{state:10}", _TONES.get(state, "dim"), on=colour)
    about = "  ".join(each for each in (line(alert.kind), line(alert.agent_id), line(alert.tool)) if each)
    return f"{escape(name):10}{painted}{alert.severity:10}{about}"


def _taken(when: float, by: str) -> list[str]:
    return [f"{_INDENT}acknowledged by {line(by) or 'somebody'}, {clock(when)}"] if when else []
