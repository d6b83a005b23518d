"""Every attribute that is read, under every name that it goes by.

The canonical word is a field of Step or a hint to its kind. Of several names for one word in one span the one that
stands first here holds. Names are facts about the libraries named beside them.
"""

from __future__ import annotations

from typing import Final

from agentcop_core import attributes as names

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "operation": (names.OPERATION,),
    "span_kind": (
        "openinference.span.kind",  # OpenInference: AGENT, LLM, TOOL, CHAIN …
        "traceloop.span.kind",  # OpenLLMetry: workflow, agent, task, tool
    ),
    "tool": (
        names.TOOL_NAME,
        "tool.name",  # OpenInference
        "gen_ai.tool.function.name",
        "mcp.tool.name",
        "tool_name",
    ),
    "agent_name": (
        names.AGENT_NAME,
        "agent.name",  # OpenInference
        "agent_name",  # pydantic-ai before it had the conventions' names
        "crew_agent_role",
    ),
    "agent": (names.COP_AGENT_ID, names.AGENT_ID),
    "session": (
        names.COP_SESSION_ID,
        names.CONVERSATION_ID,
        "session.id",  # OpenInference, and OpenTelemetry's own for user sessions
        "traceloop.association.properties.session_id",
        "traceloop.association.properties.thread_id",
        "gcp.vertex.agent.session_id",
    ),
    "entity": ("traceloop.entity.name",),  # OpenLLMetry: the name of whatever `traceloop.span.kind` says it is
    "call_id": (names.TOOL_CALL_ID, "tool_call.id", "tool_call_id"),
    "error": (names.ERROR_TYPE, "exception.type"),
    "environment": (names.COP_ENVIRONMENT, "deployment.environment.name", "deployment.environment"),
    "mcp_method": ("mcp.method.name", "mcp.method"),
    "model": (
        names.RESPONSE_MODEL,
        names.REQUEST_MODEL,
        "llm.model_name",  # OpenInference
        "llm.response.model",
        "llm.request.model",
    ),
    "input_tokens": (
        names.INPUT_TOKENS,
        "gen_ai.usage.prompt_tokens",  # gen_ai before 1.28
        "llm.token_count.prompt",  # OpenInference
        "llm.usage.prompt_tokens",
    ),
    "output_tokens": (
        names.OUTPUT_TOKENS,
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "llm.usage.completion_tokens",
    ),
    "arguments": (
        names.TOOL_CALL_ARGUMENTS,
        "tool_arguments",  # pydantic-ai
        "gcp.vertex.agent.tool_call_args",  # google-adk
        "tool.parameters",
        "input.value",  # OpenInference
        "traceloop.entity.input",
    ),
    "result": (
        names.TOOL_CALL_RESULT,
        "tool_response",  # pydantic-ai
        "gcp.vertex.agent.tool_response",  # google-adk
        "output.value",  # OpenInference
        "traceloop.entity.output",
    ),
    "words": ("gen_ai.input.messages", "gen_ai.prompt", "llm.input_messages"),
    "verdict": (names.COP_VERDICT,),
    "rule": (names.COP_RULE,),
    "reason": (names.COP_REASON,),
    "decided_by": (names.COP_DECIDED_BY,),
    "mode": (names.COP_MODE,),
    "alert": (names.COP_ALERT,),
    "policy_digest": (names.COP_POLICY_DIGEST,),
    "policy_version": (names.COP_POLICY_VERSION,),
    "call_digest": (names.COP_CALL_DIGEST,),
    "log_head": (names.COP_LOG_HEAD,),
    "service": ("service.name",),
}

WANTED: Final[dict[bytes, tuple[str, int]]] = {
    name.encode(): (word, rank) for word, aliases in ALIASES.items() for rank, name in enumerate(aliases)
}
"""Attribute key to the canonical word and its rank among that word's names: the lowest holds."""

NUMBERS: Final = frozenset({"input_tokens", "output_tokens"})
"""Words that are counts; the others are text."""
