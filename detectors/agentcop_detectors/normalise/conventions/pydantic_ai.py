"""pydantic-ai's own spans, under the names that it had before OpenTelemetry's."""

from __future__ import annotations

from agentcop_detectors.normalise.conventions._interface import Convention

PYDANTIC_AI = Convention(
    name="pydantic_ai",
    keys={
        "agent_name": ("agent_name",),
        "model": ("model_name",),
        "arguments": ("tool_arguments",),
        "result": ("tool_response",),
        "prompt": ("pydantic_ai.all_messages", "all_messages_events"),
    },
    beginnings=(("running tool: ", "tool"), ("agent run", "agent")),
)
