"""OpenInference, the convention of Arize Phoenix and its instrumentors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_detectors.normalise.conventions._interface import Convention
from agentcop_detectors.normalise.conventions.packed import unpacked

if TYPE_CHECKING:
    from agentcop_detectors.normalise.conventions._interface import Words
    from agentcop_detectors.normalise.raw import RawSpan


def _amend(span: RawSpan, words: Words) -> None:
    """Over LangChain the agent's name stands in the metadata alone, and its own span is a CHAIN of that name."""
    found = unpacked(words.pop("extra", ""))
    agent, thread = found.get("lc_agent_name"), found.get("thread_id")
    if isinstance(thread, str):
        words.setdefault("session_id", thread)
    if isinstance(agent, str):
        words.setdefault("agent_name", agent)
        if span.name == agent and words.get("span_kind") == "CHAIN":
            words["span_kind"] = "AGENT"


OPENINFERENCE = Convention(
    name="openinference",
    keys={
        "span_kind": ("openinference.span.kind",),
        "tool": ("tool.name",),
        "agent_name": ("agent.name",),
        "session_id": ("session.id",),
        "call_id": ("tool_call.id",),
        "model": ("llm.model_name",),
        "input_tokens": ("llm.token_count.prompt",),
        "output_tokens": ("llm.token_count.completion",),
        "arguments": ("input.value", "tool.parameters"),
        "result": ("output.value",),
        "words": ("llm.input_messages",),
        "extra": ("metadata",),
    },
    span_kinds={
        "agent": "agent",
        "llm": "model",
        "tool": "tool",
        "chain": "other",
        "retriever": "other",
        "embedding": "other",
        "reranker": "other",
        "guardrail": "other",
        "evaluator": "other",
    },
    scopes=("openinference.instrumentation.langchain",),
    amend=_amend,
)
