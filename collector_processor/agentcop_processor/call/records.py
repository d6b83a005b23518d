"""What is written about a call: the attributes of its span and the lines of gate.log. Each name stands here once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_core import attributes as names

if TYPE_CHECKING:
    from agentcop_control.approval import Approval
    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import Verdict


def tool_attributes(call: ToolCall, environment: str) -> dict[str, str]:
    """Attributes of `execute_tool` at its start: what is asked, by whom. No arguments: see architecture's Content.

    Each attribute costs about a microsecond; what the enclosing `invoke_agent` says is not said again.
    """
    attributes = {
        names.OPERATION: names.EXECUTE_TOOL,
        names.TOOL_NAME: call.tool,
        names.TOOL_CALL_ID: call.call_id,
        names.COP_AGENT_ID: call.agent_id,
        names.COP_SESSION_ID: call.session_id,
    }
    if environment:
        attributes[names.COP_ENVIRONMENT] = environment
    return attributes


def agent_attributes(agent_id: str, session_id: str, environment: str) -> dict[str, str]:
    """Attributes of `invoke_agent`."""
    attributes = {
        names.OPERATION: names.INVOKE_AGENT,
        names.AGENT_NAME: agent_id,
        names.CONVERSATION_ID: session_id,
        names.COP_AGENT_ID: agent_id,
        names.COP_SESSION_ID: session_id,
    }
    if environment:
        attributes[names.COP_ENVIRONMENT] = environment
    return attributes


def verdict_attributes(verdict: Verdict, head: str) -> dict[str, str]:
    """What was decided, and where gate.log stood when it was. `mode` is left out where it is `enforce`."""
    attributes = {
        names.COP_VERDICT: verdict.decision,
        names.COP_RULE: verdict.rule,
        names.COP_DECIDED_BY: verdict.decided_by,
        names.COP_POLICY_DIGEST: verdict.policy_digest,
        names.COP_CALL_DIGEST: verdict.digest,
    }
    if verdict.decision != "allow":
        attributes[names.COP_REASON] = verdict.reason
    if verdict.mode != "enforce":
        attributes[names.COP_MODE] = verdict.mode
    if verdict.policy_version:
        attributes[names.COP_POLICY_VERSION] = verdict.policy_version
    if head:
        attributes[names.COP_LOG_HEAD] = head
    return attributes


def decision_line(call: ToolCall, verdict: Verdict, trace_id: str) -> dict[str, object]:
    """gate.log's line about a verdict, written before the tool runs; the redacted arguments go where `args` stands.

    What is empty is left out; so are `mode` where it is `enforce`, and the reason of an allow, which is its rule.
    """
    line: dict[str, object] = {
        "kind": "decision",
        "agent": call.agent_id,
        "session": call.session_id,
        "run": trace_id or call.run_id,
        "call": call.call_id,
        "tool": call.tool,
        "args": None,
        "verdict": verdict.decision,
        "rule": verdict.rule,
    }
    if verdict.at:
        line["at"] = verdict.at
    if verdict.policy_version:
        line["policy"] = verdict.policy_version
    line["digest"] = call.digest
    line["decided_by"] = verdict.decided_by
    if verdict.decision != "allow":
        line["reason"] = verdict.reason
    if verdict.mode != "enforce":
        line["mode"] = verdict.mode
    return line


def outcome_line(call: ToolCall, outcome: str, *, error: str, decision: str, ms: float) -> dict[str, object]:
    """gate.log's line about what became of a call; `of` is the head of its decision line."""
    line: dict[str, object] = {
        "kind": "outcome",
        "agent": call.agent_id,
        "session": call.session_id,
        "call": call.call_id,
        "tool": call.tool,
        "outcome": outcome,
    }
    if error:
        line["error"] = error
    if decision:
        line["of"] = decision
    line["ms"] = ms
    return line


def approval_line(  # noqa: PLR0913 -- what was asked, and what came of it
    call: ToolCall, outcome: str, approval: Approval | None, *, error: str, decision: str, ms: float
) -> dict[str, object]:
    """gate.log's line about what became of asking a person; the call's own outcome, if it runs, is a later line's."""
    line = outcome_line(call, outcome, error=error, decision=decision, ms=ms)
    if approval is not None:
        line |= {"approval": approval.id, "by": approval.by, "message": approval.message}
    if outcome == "approved":
        line["approved_locally"] = True
    return line


def approval_attributes(outcome: str, approval: Approval | None) -> dict[str, str | bool]:
    """What became of asking, on the call's span."""
    attributes: dict[str, str | bool] = {names.COP_APPROVAL_OUTCOME: outcome}
    if approval is not None:
        attributes[names.COP_APPROVAL_ID] = approval.id
        if approval.by:
            attributes[names.COP_APPROVAL_BY] = approval.by
    if outcome == "approved":
        attributes[names.COP_APPROVED_LOCALLY] = True
    return attributes
