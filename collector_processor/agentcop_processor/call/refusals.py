"""What a refusal is: an error for the caller, words for the model, a mark on span, session and run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import Status, StatusCode

from agentcop_core import attributes as names
from agentcop_core.errors import (
    ApprovalDenied,
    ApprovalExpired,
    NoApprover,
    PolicyBlocked,
    SandboxRefused,
    ToolBlocked,
)
from agentcop_processor.alerting import alert_of_block

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from agentcop_core.session import Session
    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import Verdict
    from agentcop_processor.gate import Counted, Gate
    from agentcop_processor.runs import Run

_STICKY = frozenset({"raise", "raise_and_alert"})
_DO_NOT_RETRY = "Do not retry; tell the user."
_COUNTED: dict[type[ToolBlocked], Counted] = {
    ApprovalDenied: "denied",
    ApprovalExpired: "expired",
    NoApprover: "held",
}
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def refusal(verdict: Verdict, call: ToolCall) -> ToolBlocked:
    """The error of a verdict that blocks a call."""
    kind: type[ToolBlocked] = SandboxRefused if verdict.rule == "sandbox" else PolicyBlocked
    return kind(tool=call.tool, reason=verdict.reason, verdict=verdict, call_digest=call.digest)


def refuse(  # noqa: PLR0913 -- everything a refusal leaves its mark on
    call: ToolCall,
    verdict: Verdict,
    *,
    gate: Gate,
    session: Session,
    run: Run | None,
    span: Span,
    error: ToolBlocked | None = None,
) -> ToolBlocked:
    """The error to raise, after it was counted, marked on the run and written on the span, which is ended.

    `error`: what became of asking a person; without it the verdict is a block.
    """
    if error is None:
        error = refusal(verdict, call)
    else:
        session.count_held()
    counted = _COUNTED.get(type(error), "blocked")
    gate.count(counted)
    if counted in {"blocked", "denied"}:
        session.count_refusal()
    if run is not None:
        run.refused(error, sticky=verdict.on_block in _STICKY)
    elif (lost := gate.only_run()) is not None:
        # A guess, though the only one: it counts against the run, and does not make its entry raise by itself.
        lost.refused(error, sticky=False)
    span.set_status(Status(StatusCode.ERROR, gate.pipeline.redactor.redact_text(error.reason)))
    span.set_attribute(names.ERROR_TYPE, type(error).__name__)
    alert_of_block(call, verdict, gate=gate, span=span)
    gate.end_span(span)
    return error


def refusal_text(error: ToolBlocked) -> str:
    """What the model reads in place of a result: fixed words, the rule's name and what a person said; no argument."""
    rule = error.verdict.rule if error.verdict is not None else "gate.error"
    if isinstance(error, ApprovalDenied):
        said = f": {error.message}" if error.message else ""
        return f"Denied by {error.by} ({rule}){said}. {_DO_NOT_RETRY}"
    if isinstance(error, ApprovalExpired):
        return f"This call needs a person's approval ({rule}): {error.reason}. {_DO_NOT_RETRY}"
    if isinstance(error, NoApprover):
        return f"This call needs a person's approval ({rule}) and nobody can be asked. {_DO_NOT_RETRY}"
    if isinstance(error, SandboxRefused):
        return f"This call must run in a sandbox ({rule}), which is not available. {_DO_NOT_RETRY}"
    return f"Blocked by policy ({rule}). {_DO_NOT_RETRY}"


def duration(seconds: float) -> str:
    """A time-out in words: `15 min`, `1.5 h`, `30 s`."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), (1, "s"))
    return f"{seconds / size:.3g} {unit}"
