"""From a received span to a step: which kind it is, what it is about, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_detectors.normalise.conventions.mcp import is_request
from agentcop_detectors.normalise.names import BEGINNINGS, OPERATIONS, SPAN_KINDS, amends_of
from agentcop_detectors.step import Step

if TYPE_CHECKING:
    from agentcop_detectors.normalise.conventions._interface import Words
    from agentcop_detectors.normalise.raw import RawSpan
    from agentcop_detectors.step import StepKind, StepStatus

_TRACE_ID, _SPAN_ID = 16, 8
_NO_TRACE, _NO_SPAN = bytes(_TRACE_ID), bytes(_SPAN_ID)
_STATUS: Final[dict[int, StepStatus]] = {1: "ok", 2: "error"}
_CALLS: Final = frozenset({"tool", "transport"})
"""Kinds of which arguments and result are kept."""


class Unusable(ValueError):  # noqa: N818 -- what the span is
    """A span without ids of the right length: it belongs to nothing."""


def step_of(span: RawSpan) -> Step:
    """The step that a span is; takes the span's words. Raises Unusable."""
    trace_id, span_id, parent_id = span.trace_id, span.span_id, span.parent_id
    if len(trace_id) != _TRACE_ID or len(span_id) != _SPAN_ID or trace_id == _NO_TRACE:
        raise Unusable("a span needs a trace id of 16 bytes and a span id of 8")
    words, resource = span.words, span.resource
    for amend in amends_of(span.scope):
        amend(span, words)
    kind = _kind(span, words)
    take = words.pop
    tool, agent_name, entity = take("tool", ""), take("agent_name", ""), take("entity", "")
    agent, instance = take("agent", ""), take("agent_instance", "")
    prompt = take("prompt", "")
    take("extra", "")
    if kind not in _CALLS:
        asked = take("arguments", "")
        take("result", "")
        if kind == "other":
            take("words", "")
        elif "words" not in words:
            words["words"] = prompt or asked
    words["service"] = resource.get("service", "")
    if "environment" not in words:
        words["environment"] = resource.get("environment", "")
    if kind in _CALLS:
        name = tool
    elif kind == "model":
        name = words.get("model", "")
    elif kind == "agent":
        name = agent_name
    else:
        name = span.name
    start, end = span.start, span.end
    return Step(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id if len(parent_id) == _SPAN_ID and parent_id != _NO_SPAN else b"",
        kind=kind,
        name=name or entity or _own_name(span, kind),
        start=start,
        end=max(start, end),
        status=_STATUS.get(span.code, "unset"),
        message=span.message,
        scope=span.scope,
        agent_id=agent or agent_name or instance or resource.get("agent", ""),
        **words,
    )


def _kind(span: RawSpan, words: Words) -> StepKind:
    """Which kind it is; takes the words that say it."""
    if "mcp_method" in words and is_request(span, words):
        words.pop("operation", None)
        words.pop("span_kind", None)
        return "transport"
    operation, span_kind = words.pop("operation", ""), words.pop("span_kind", "")
    found = OPERATIONS.get(operation) or SPAN_KINDS.get(span_kind) or SPAN_KINDS.get(span_kind.lower())
    if found is not None:
        return found
    if "verdict" in words:
        return "tool"
    if operation or span_kind:
        return "other"  # it says what it is, and that is none of the kinds that are looked at
    return next((kind for beginning, kind in BEGINNINGS if span.name.startswith(beginning)), "other")


def _own_name(span: RawSpan, kind: StepKind) -> str:
    """The span's own name, without what stands before it, where no attribute says what the step is about."""
    beginning = next((text for text, of in BEGINNINGS if of == kind and span.name.startswith(text)), "")
    return span.name[len(beginning) :].strip() or span.name
