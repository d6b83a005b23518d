"""OpenTelemetry's gen_ai conventions, the newest: `execute_tool`, `invoke_agent`, `chat`; and its resource names."""

from __future__ import annotations

from agentcop_core import attributes as names
from agentcop_detectors.normalise.conventions._interface import Convention

GEN_AI = Convention(
    name="gen_ai",
    keys={
        "operation": (names.OPERATION,),
        "tool": (names.TOOL_NAME,),
        "agent_name": (names.AGENT_NAME,),
        "agent_instance": (names.AGENT_ID,),
        "session_id": (names.CONVERSATION_ID,),
        "call_id": (names.TOOL_CALL_ID,),
        "error": (names.ERROR_TYPE,),
        "model": (names.RESPONSE_MODEL, names.REQUEST_MODEL),
        "input_tokens": (names.INPUT_TOKENS,),
        "output_tokens": (names.OUTPUT_TOKENS,),
        "arguments": (names.TOOL_CALL_ARGUMENTS,),
        "result": (names.TOOL_CALL_RESULT,),
        "words": ("gen_ai.input.messages",),
        "service": ("service.name",),
        "environment": ("deployment.environment.name", "deployment.environment"),
    },
    operations={
        names.EXECUTE_TOOL: "tool",
        names.INVOKE_AGENT: "agent",
        names.CHAT: "model",
        "text_completion": "model",
        "generate_content": "model",
        "create_agent": "other",
        "embeddings": "other",
        "execute_task": "other",
        "invoke_workflow": "other",
        "retrieval": "other",
    },
    beginnings=(("execute_tool ", "tool"), ("invoke_agent ", "agent"), ("chat ", "model")),
    events={"exception": {"exception.type": "error"}},
)
