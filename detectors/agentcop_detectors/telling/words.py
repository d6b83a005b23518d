"""From a finding to an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast, get_args

from agentcop_core.alert import Alert, AlertKind
from agentcop_detectors.telling.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcop_detectors.checks._interface import Anomaly
    from agentcop_detectors.run import Run
    from agentcop_detectors.step import Step

_KINDS: Final = frozenset(get_args(AlertKind))
_BLOCK: Final = "gate_block"
_NAME: Final = 200
_TEXT: Final = 1_000
_ARGUMENTS: Final = 2_500
_EVIDENCE: Final = 10
_LATEST: Final = 10.0**11


def alert_of(anomaly: Anomaly, run: Run, steps: Sequence[Step], now: float) -> Alert:
    """The alert of a finding, with the arguments of the call it is about; `now`: when it was found."""
    step = next((each for each in steps if anomaly.span_id and each.span_id == anomaly.span_id), None)
    evidence = [shown(line, _TEXT) for line in anomaly.evidence[:_EVIDENCE]]
    if left := len(anomaly.evidence) - len(evidence):
        evidence.append(f"… +{left}")
    happened = step.start / 1e9 if step is not None and step.start else now
    return Alert(
        kind=_kind(anomaly, step),
        severity=anomaly.severity,
        agent_id=shown(anomaly.agent_id, _NAME),
        tool=shown(anomaly.tool, _NAME),
        rule=(shown(step.rule, _NAME) if step is not None and anomaly.check == _BLOCK else "") or anomaly.check,
        reason=shown(anomaly.reason, _TEXT),
        arguments=shown(step.arguments, _ARGUMENTS) if step is not None else "",
        session_id=shown((step.session_id if step is not None else "") or run.session_id, _NAME),
        trace_id=anomaly.trace_id.hex(),
        call_id=shown(step.call_id, _NAME) if step is not None else "",
        policy_version=shown(step.policy_version, _NAME) if step is not None else "",
        environment=shown(run.environment, _NAME),
        # A sender's clock may be anywhere: what is shown is a time all the same.
        time=happened if 0 < happened < _LATEST and abs(happened - now) < _LATEST else now,
        evidence=tuple(evidence),
    )


def _kind(anomaly: Anomaly, step: Step | None) -> AlertKind:
    if anomaly.check == _BLOCK:
        return "would_block" if step is not None and step.mode == "observe" else "block"
    return cast("AlertKind", anomaly.check) if anomaly.check in _KINDS else "anomaly"
