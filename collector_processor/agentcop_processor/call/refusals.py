"""What a refusal is: an error for the caller, words for the model, a mark on span, session and run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import Status, StatusCode

from agentcop_core import attributes as names
from agentcop_core.errors import NoApprover, PolicyBlocked, SandboxRefused, ToolBlocked

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from agentcop_core.session import Session
    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import Verdict
    from agentcop_processor.gate import Gate
    from agentcop_processor.runs import Run

_STICKY = frozenset({"raise", "raise_and_alert"})
_DO_NOT_RETRY = "Do not retry; tell the user."


def refusal(verdict: Verdict, call: ToolCall) -> ToolBlocked:
    """The error of a verdict that stops a call when nobody can be asked."""
    kind: type[ToolBlocked] = PolicyBlocked
    reason = verdict.reason
    if verdict.decision == "require_approval":
        kind = NoApprover
        reason = f"{reason}; nobody can be asked: approvals are not in this build"
    elif verdict.rule == "sandbox":
        kind = SandboxRefused
    return kind(tool=call.tool, reason=reason, verdict=verdict, call_digest=call.digest)


def refuse(  # noqa: PLR0913 -- everything a refusal leaves its mark on
    call: ToolCall, verdict: Verdict, *, gate: Gate, session: Session, run: Run | None, span: Span
) -> ToolBlocked:
    """The error to raise, after it was counted, marked on the run and written on the span, which is ended."""
    error = refusal(verdict, call)
    held = verdict.decision == "require_approval"
    gate.count("held" if held else "blocked")
    session.count_held() if held else session.count_refusal()
    if run is not None:
        run.refused(error, sticky=verdict.on_block in _STICKY)
    span.set_status(Status(StatusCode.ERROR, verdict.reason))
    span.set_attribute(names.ERROR_TYPE, type(error).__name__)
    gate.end_span(span)
    return error


def refusal_text(error: ToolBlocked) -> str:
    """What the model reads in place of a result: fixed words and the rule's name, never an argument."""
    rule = error.verdict.rule if error.verdict is not None else "gate.error"
    if isinstance(error, NoApprover):
        return f"This call needs a person's approval ({rule}) and nobody can be asked. {_DO_NOT_RETRY}"
    if isinstance(error, SandboxRefused):
        return f"This call must run in a sandbox ({rule}), which is not available. {_DO_NOT_RETRY}"
    return f"Blocked by policy ({rule}). {_DO_NOT_RETRY}"
