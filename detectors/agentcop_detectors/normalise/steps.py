"""From a received span to a step: which kind it is, and what its words mean.

Our own spans and OpenTelemetry's conventions name the operation; OpenInference and OpenLLMetry name the kind of span;
older and native ones are known by the names in `_BY_NAME`. A span that says nothing of all this is `other`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_core import attributes as names
from agentcop_detectors.normalise.names import NUMBERS
from agentcop_detectors.step import Step

if TYPE_CHECKING:
    from agentcop_detectors.normalise.raw import RawSpan
    from agentcop_detectors.step import StepKind, StepStatus

_TRACE_ID, _SPAN_ID = 16, 8
_STATUS: Final[dict[int, StepStatus]] = {1: "ok", 2: "error"}
_MOST: Final = 2**53

_BY_OPERATION: Final[dict[str, StepKind]] = {
    names.EXECUTE_TOOL: "tool",
    names.INVOKE_AGENT: "agent",
    "create_agent": "other",
    names.CHAT: "model",
    "text_completion": "model",
    "generate_content": "model",
    "embeddings": "other",
}
_BY_SPAN_KIND: Final[dict[str, StepKind]] = {
    "tool": "tool",
    "agent": "agent",
    "llm": "model",
    "chain": "other",
    "workflow": "agent",
    "task": "other",
}
_BY_NAME: Final[tuple[tuple[str, StepKind], ...]] = (
    ("execute_tool ", "tool"),
    ("running tool: ", "tool"),  # pydantic-ai before the conventions
    ("invoke_agent ", "agent"),
    ("agent run", "agent"),
    ("chat ", "model"),
)
_CALL: Final = "tools/call"


class Unusable(ValueError):  # noqa: N818 -- what the span is
    """A span without ids of the right length: it belongs to nothing."""


def step_of(span: RawSpan) -> Step:
    """The step that a span is. Raises Unusable."""
    if len(span.trace_id) != _TRACE_ID or len(span.span_id) != _SPAN_ID or not any(span.trace_id):
        raise Unusable("a span needs a trace id of 16 bytes and a span id of 8")
    words = {word: text for word, text in span.words.items() if word not in NUMBERS and isinstance(text, str)}
    kind = _kind(span, words)
    return Step(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id if len(span.parent_id) == _SPAN_ID and any(span.parent_id) else b"",
        kind=kind,
        name=_name(span, kind, words),
        start=span.start,
        end=max(span.start, span.end),
        status=_STATUS.get(span.code, "unset"),
        message=span.message,
        service=str(span.resource.get("service", "")),
        scope=span.scope,
        agent_id=_agent(span, kind, words),
        session_id=words.get("session", ""),
        environment=words.get("environment", "") or str(span.resource.get("environment", "")),
        call_id=words.get("call_id", ""),
        error=words.get("error", ""),
        verdict=words.get("verdict", ""),
        rule=words.get("rule", ""),
        reason=words.get("reason", ""),
        decided_by=words.get("decided_by", ""),
        mode=words.get("mode", ""),
        alert=words.get("alert", ""),
        policy_digest=words.get("policy_digest", ""),
        policy_version=words.get("policy_version", ""),
        call_digest=words.get("call_digest", ""),
        log_head=words.get("log_head", ""),
        model=words.get("model", ""),
        input_tokens=_count(span, "input_tokens"),
        output_tokens=_count(span, "output_tokens"),
        arguments=words.get("arguments", "") if kind in {"tool", "transport"} else "",
        result=words.get("result", "") if kind in {"tool", "transport"} else "",
        words=words.get("words", ""),
    )


def _kind(span: RawSpan, words: dict[str, str]) -> StepKind:
    if words.get("mcp_method") == _CALL:
        return "transport" if "verdict" not in words else "tool"
    by_operation = _BY_OPERATION.get(words.get("operation", ""))
    if by_operation is not None:
        return by_operation
    by_span_kind = _BY_SPAN_KIND.get(words.get("span_kind", "").lower())
    if by_span_kind is not None:
        return by_span_kind
    if "verdict" in words:
        return "tool"
    return next((kind for prefix, kind in _BY_NAME if span.name.startswith(prefix)), "other")


def _name(span: RawSpan, kind: StepKind, words: dict[str, str]) -> str:
    """What the step is about; the span's own name, without the operation's, where no attribute says it."""
    word = {"tool": "tool", "transport": "tool", "agent": "agent_name", "model": "model"}.get(kind)
    found = words.get(word, "") if word is not None else ""
    if found or kind == "other":
        return found or span.name
    if entity := words.get("entity", ""):
        return entity
    prefix = next((prefix for prefix, of in _BY_NAME if of == kind and span.name.startswith(prefix)), "")
    return span.name[len(prefix) :].strip() or span.name


def _agent(span: RawSpan, kind: StepKind, words: dict[str, str]) -> str:
    """Whose step it is: what we or the convention say; the service, where nobody names an agent."""
    return (
        words.get("agent", "")
        or (words.get("agent_name", "") if kind == "agent" else "")
        or str(span.resource.get("agent", ""))
    )


def _count(span: RawSpan, word: str) -> int:
    found = span.words.get(word, 0)
    return found if isinstance(found, int) and 0 <= found < _MOST else 0
