"""OpenLLMetry, the convention of Traceloop's SDK and its instrumentors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_detectors.normalise.conventions._interface import Convention
from agentcop_detectors.normalise.conventions.packed import packed, unpacked

if TYPE_CHECKING:
    from agentcop_detectors.normalise.conventions._interface import Words
    from agentcop_detectors.normalise.raw import RawSpan


def _amend(span: RawSpan, words: Words) -> None:
    """Over LangChain a tool's arguments and result are packed with the callback's own, and a graph has two spans."""
    if span.name.endswith(".workflow") and words.get("operation") == "invoke_agent":
        words["operation"] = "invoke_workflow"  # `invoke_agent …` stands above it
    for word, inside in (("arguments", "inputs"), ("result", "output")):
        text = words.get(word, "")
        if f'"{inside}"' in text:
            found = unpacked(text)
            if word == "arguments":
                call = found.get("kwargs")
                if isinstance(call, dict) and isinstance(call.get("tool_call_id"), str):
                    words.setdefault("call_id", call["tool_call_id"])
            value = found.get(inside)
            if isinstance(value, dict) and isinstance(value.get("kwargs"), dict):
                value = value["kwargs"].get("content", value)  # a ToolMessage, as LangChain writes itself
            if value is not None:
                words[word] = packed(value)


OPENLLMETRY = Convention(
    name="openllmetry",
    keys={
        "span_kind": ("traceloop.span.kind",),
        "entity": ("traceloop.entity.name",),
        "agent_name": ("traceloop.association.properties.lc_agent_name",),
        "session_id": (
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.thread_id",
        ),
        "operation": ("llm.request.type",),
        "model": ("llm.response.model", "llm.request.model"),
        "input_tokens": ("llm.usage.prompt_tokens",),
        "output_tokens": ("llm.usage.completion_tokens",),
        "arguments": ("traceloop.entity.input",),
        "result": ("traceloop.entity.output",),
        # Before 0.50 messages were numbered attributes; the first two hold the instructions and the question.
        "words": ("gen_ai.prompt.1.content", "gen_ai.prompt.0.content"),
    },
    operations={"completion": "model"},
    span_kinds={"workflow": "agent", "agent": "agent", "task": "other", "tool": "tool"},
    scopes=("opentelemetry.instrumentation.langchain",),
    amend=_amend,
)
