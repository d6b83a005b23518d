"""What the pages show, in words: redacted, cut with a count, printable. The templates escape it for HTML."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import orjson

from agentcop_core.escape import escape
from agentcop_detectors.telling.shown import shown
from agentcop_detectors.telling.timeline import moment, seconds, verdict_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentcop_detectors.step import Step
    from agentcop_detectors.store.reader import StoredAlert, StoredRun

STEPS: Final = 200
"""Steps on one page."""
_NAME: Final = 120
_SENTENCE: Final = 1_000
_TEXT: Final = 4_096
_EVIDENCE: Final = 20
_DEEPEST: Final = 6
_TONES: Final = {"block": "bad", "require_approval": "ask", "allow": "good"}
_TITLES: Final = {
    "unenforced_call": "Tool call without a verdict",
    "broken_chain": "Broken gate.log chain",
    "policy_loosened": "Policy loosened",
    "refusal_storm": "Refusal storm",
    "new_tool": "New tool",
    "volume": "Unusual volume",
    "gate_block": "Blocked",
}
_TOLD: Final = {
    "pending": "not told yet",
    "spooled": "waits for its channel",
    "sent": "sent",
    "rolled_up": "counted in another message",
    "digest": "waits for the daily digest",
    "nobody": "no channel for it",
    "failed": "every channel refused it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """A text that is folded away."""

    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """One alert."""

    id: int
    title: str
    severity: str
    agent: str
    agent_known: bool
    """Whether `agent` is its whole name, letter by letter, so that it can be asked for."""
    tool: str
    reason: str
    evidence: tuple[str, ...]
    when: str
    told: str
    failed: bool
    taken: str
    """Who acknowledged it, and when; "" if nobody did."""
    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step."""

    span_id: str
    depth: int
    kind: str
    name: str
    offset: str
    took: str
    verdict: str
    tone: str
    """`good`, `ask`, `bad` or ""."""
    why: tuple[str, ...]
    folds: tuple[Fold, ...]
    alerts: tuple[AlertView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run in a list, or over its steps."""

    trace_id: str
    agent: str
    session: str
    environment: str
    service: str
    when: str
    took: str
    state: str
    facts: tuple[tuple[str, str], ...]
    tone: str


def alert_view(alert: StoredAlert) -> AlertView:
    """An alert for people."""
    evidence = [_line(each, _SENTENCE) for each in alert.evidence[:_EVIDENCE]]
    if left := len(alert.evidence) - len(evidence):
        evidence.append(f"… +{left}")
    taken = ""
    if alert.acknowledged:
        taken = f"{_line(alert.acknowledged_by, _NAME) or 'somebody'}, {clock(alert.acknowledged)}"
    return AlertView(
        id=alert.id,
        title=_TITLES.get(alert.kind, _line(alert.kind, _NAME)),
        severity=alert.severity,
        agent=line(alert.agent_id),
        agent_known=_line(alert.agent_id, _NAME) == alert.agent_id,
        tool=_line(alert.tool, _NAME),
        reason=_line(alert.reason, _SENTENCE),
        evidence=tuple(evidence),
        when=clock(alert.raised),
        told=_TOLD.get(alert.told, _line(alert.told, _NAME)),
        failed=alert.told in {"failed", "nobody"},
        taken=taken,
        trace_id=alert.trace_id,
        span_id=alert.span_id,
    )


def run_view(run: StoredRun) -> RunView:
    """A run for people."""
    facts = [("steps", f"{run.steps:,}"), ("tool calls", f"{run.tool_calls:,}")]
    counts = (("blocked", run.blocked), ("asked a person", run.held), ("without a verdict", run.unenforced))
    facts += [(name, f"{count:,}") for name, count in (*counts, ("tokens", run.tokens)) if count]
    return RunView(
        trace_id=run.trace_id,
        agent=_line(run.agent_id, _NAME),
        session=_line(run.session_id, _NAME),
        environment=_line(run.environment, _NAME),
        service=_line(run.service, _NAME),
        when=moment(run.started),
        took=seconds(run.ended - run.started),
        state={"": "open", "root": "ended", "idle": "went quiet"}.get(run.closed, "cut off"),
        facts=tuple(facts),
        tone="bad" if run.unenforced or run.blocked else "ask" if run.held else "",
    )


def step_views(
    steps: Sequence[Step], first: int, begun: int, alerts: Mapping[str, Sequence[AlertView]]
) -> tuple[StepView, ...]:
    """Steps `first` to `first + STEPS`; `alerts`: by span id, those that are about a step."""
    depths = _depths(steps)
    return tuple(
        StepView(
            span_id=step.span_id.hex(),
            depth=depths[step.span_id],
            kind=step.kind,
            name=_line(step.name, _NAME) or "(no name)",
            offset=f"+{seconds(step.start - begun)}",
            took=seconds(step.end - step.start),
            verdict=verdict_of(step),
            tone=_TONES.get(step.verdict, "bad" if step.kind == "tool" else ""),
            why=_why(step),
            folds=_folds(step),
            alerts=tuple(alerts.get(step.span_id.hex(), ())),
        )
        for step in steps[first : first + STEPS]
    )


def clock(when: float) -> str:
    """A time for people, in UTC."""
    try:
        return datetime.fromtimestamp(when, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return str(when)


def _why(step: Step) -> tuple[str, ...]:
    found = []
    if step.rule and step.verdict:
        found.append(f"rule {_line(step.rule, _NAME)}")
    if step.reason:
        found.append(_line(step.reason, _SENTENCE))
    if step.status == "error":
        found.append(f"error {_line(step.error or step.message, _SENTENCE)}".rstrip())
    if step.kind == "model" and (step.input_tokens or step.output_tokens):
        found.append(f"{step.input_tokens:,} tokens in, {step.output_tokens:,} out")
    return tuple(found)


def _folds(step: Step) -> tuple[Fold, ...]:
    texts = (("Arguments", step.arguments), ("Result", step.result), ("Words", step.words))
    return tuple(Fold(label=label, text=_block(text)) for label, text in texts if text)


def _block(text: str) -> str:
    """A text of several lines; JSON with an indent."""
    whole = shown(text, _TEXT)
    with suppress(ValueError):  # it is no JSON, or was cut: shown as it came
        whole = orjson.dumps(orjson.loads(whole), option=orjson.OPT_INDENT_2).decode()
    return "\n".join(escape(line) for line in whole.split("\n"))


def line(text: str) -> str:
    """A name on one line."""
    return _line(text, _NAME)


def _line(text: str, limit: int) -> str:
    return escape(shown(text, limit))


def _depths(steps: Sequence[Step]) -> dict[bytes, int]:
    """How deep each step stands in the tree, at most 6: parents may be missing, or go in circles."""
    parents = {step.span_id: step.parent_id for step in steps}
    depths: dict[bytes, int] = {}
    for step in steps:
        depth, above = 0, step.parent_id
        while above in parents and depth < _DEEPEST:
            depth, above = depth + 1, parents[above]
        depths[step.span_id] = depth
    return depths
