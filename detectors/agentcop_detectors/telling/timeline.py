"""A run as a person reads it: a line a step for a message, JSON for a file. Redacted and bounded."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import orjson

from agentcop_detectors.telling.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcop_detectors.checks._interface import Anomaly
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step

LINES: Final = 18
_LINE: Final = 120
_NAME: Final = 40
_STEPS: Final = 300
_TEXT: Final = 4_096
_SHORT: Final = 128
_FILE: Final = 262_144
_TOLD: Final = frozenset({"agent", "model", "tool"})
_SECOND_NS: Final = 1e9
_YEARS_NS: Final = 10**17


def timeline(steps: Sequence[Step], about: bytes, missing: int = 0) -> tuple[str, ...]:
    """At most 18 lines of at most 120 characters; `→` before the step that it is about, and gaps with their count.

    `missing`: steps of the run that are not in `steps`.
    """
    told = [step for step in steps if step.kind in _TOLD]
    if not told:
        return ()
    begun = min(step.start for step in told)
    chosen = _chosen(told, about)
    lines: list[str] = []
    last = -1
    for index in chosen:
        if index > last + 1:
            lines.append(f"  … +{index - last - 1} steps")
        lines.append(_line(told[index], begun, here=bool(about) and told[index].span_id == about))
        last = index
    left = len(told) - 1 - last
    if left or missing:
        lines.append(f"  … +{left + missing} steps")
    return tuple(lines)


def document(run: Run, steps: Sequence[Step], anomaly: Anomaly | None = None) -> str:
    """The run as JSON, about 250 kB at most: of a long run its beginning, its end and the step that it is about."""
    text = ""
    for count, limit in ((_STEPS, _TEXT), (_STEPS, _SHORT), (_STEPS // 4, _SHORT)):
        kept = _kept(steps, anomaly.span_id if anomaly is not None else b"", count)
        text = _written(run, kept, len(steps), anomaly, limit)
        if len(text) <= _FILE:
            break
    return text


def seconds(nanoseconds: int) -> str:
    """A length of time for people; `?` where a clock went wrong."""
    if not 0 <= nanoseconds < _YEARS_NS:
        return "?"
    if nanoseconds < _SECOND_NS:
        return f"{nanoseconds / 1e6:.0f} ms"
    return f"{nanoseconds / _SECOND_NS:,.1f} s"


def moment(nanoseconds: int) -> str:
    """A time for people, in UTC; the bare number where it is none."""
    try:
        return datetime.fromtimestamp(nanoseconds / _SECOND_NS, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return str(nanoseconds)


def verdict_of(step: Step) -> str:
    """What the gate said of a tool call, in a word for people; "" where there was nothing to say."""
    if step.verdict == "block":
        return "would block" if step.mode == "observe" else "BLOCKED"
    if step.verdict == "require_approval":
        return "asked a person"
    if step.verdict:
        return step.verdict[:_NAME]
    return "no verdict" if step.kind == "tool" else ""


def _kept(steps: Sequence[Step], about: bytes, count: int) -> Sequence[Step]:
    if len(steps) <= count:
        return steps
    first, last = count // 4, len(steps) - (count - count // 4)
    return [*steps[:first], *(step for step in steps[first:last] if about and step.span_id == about), *steps[last:]]


def _chosen(told: Sequence[Step], about: bytes) -> list[int]:
    """Which steps get a line: all, or the one it is about, those refused, then the first and the last ones."""
    room = LINES
    if len(told) <= room:
        return list(range(len(told)))
    wanted = [index for index, step in enumerate(told) if about and step.span_id == about][:1]
    if wanted:
        wanted += [index for index in (wanted[0] - 1, wanted[0] + 1) if 0 <= index < len(told)]
    wanted += [0, len(told) - 1]
    wanted += [index for index, step in enumerate(told) if step.verdict and step.verdict != "allow"][:room]
    wanted += range(1, room)
    chosen: list[int] = []
    for index in dict.fromkeys(wanted):
        gaps = _gaps(sorted([*chosen, index]), len(told))
        if len(chosen) + 1 + gaps <= room:
            chosen.append(index)
    return sorted(chosen)


def _gaps(chosen: list[int], total: int) -> int:
    between = sum(after - before > 1 for before, after in pairwise(chosen))
    return between + (chosen[0] > 0) + (chosen[-1] < total - 1)


def _line(step: Step, begun: int, *, here: bool) -> str:
    what = f"{step.kind} {shown(step.name, _NAME)}" if step.kind != "tool" else shown(step.name, _NAME)
    parts = [f"{'→' if here else ' '} +{seconds(step.start - begun)}", what]
    if said := verdict_of(step):
        parts.append(f"{said} by {shown(step.rule, _NAME)}" if step.rule and step.verdict != "allow" else said)
    parts.append(seconds(step.end - step.start))
    if step.status == "error" and step.verdict != "block":
        parts.append("error")
    line = "  ".join(parts)
    room = _LINE - len(line) - 2
    if step.kind == "tool" and step.arguments and room > len("… +9,999"):
        whole = shown(step.arguments, _TEXT)
        cut = whole if len(whole) <= room else f"{whole[: room - 9]}… +{len(whole) - room + 9:,}"
        line += f"  {cut}"
    return line


def _written(run: Run, kept: Sequence[Step], held: int, anomaly: Anomaly | None, limit: int) -> str:
    found = None
    if anomaly is not None:
        found = {
            "check": anomaly.check,
            "severity": anomaly.severity,
            "reason": shown(anomaly.reason, limit),
            "evidence": [shown(line, limit) for line in anomaly.evidence],
            "span_id": anomaly.span_id.hex(),
        }
    return orjson.dumps(
        {
            "schema": 1,
            "run": {
                "trace_id": run.trace_id.hex(),
                "agent_id": shown(run.agent_id, limit),
                "session_id": shown(run.session_id, limit),
                "environment": shown(run.environment, limit),
                "service": shown(run.service, limit),
                "started": moment(run.started),
                "ended": moment(run.ended),
                "closed": run.closed,
                "steps": max(run.total, held),
                "steps_left_out": max(run.total, held) - len(kept),
            },
            "found": found,
            "steps": [_step(step, limit) for step in kept],
        },
        option=orjson.OPT_INDENT_2,
    ).decode()


def _step(step: Step, limit: int) -> dict[str, object]:
    texts = {
        "name": step.name,
        "message": step.message,
        "scope": step.scope,
        "call_id": step.call_id,
        "error": step.error,
        "verdict": step.verdict,
        "rule": step.rule,
        "reason": step.reason,
        "decided_by": step.decided_by,
        "mode": step.mode,
        "policy_version": step.policy_version,
        "model": step.model,
        "arguments": step.arguments,
        "result": step.result,
        "words": step.words,
    }
    made: dict[str, object] = {
        "span_id": step.span_id.hex(),
        "parent_id": step.parent_id.hex(),
        "kind": step.kind,
        "start_ns": str(step.start),
        "end_ns": str(step.end),
        "status": step.status,
    }
    made.update({name: shown(text, limit) for name, text in texts.items() if text})
    if step.kind == "model":
        made |= {"input_tokens": str(step.input_tokens), "output_tokens": str(step.output_tokens)}
    return made
