"""OpenTelemetry's gen_ai conventions as they were before 1.37: content in events, tokens named after the prompt."""

from __future__ import annotations

from agentcop_detectors.normalise.conventions._interface import Convention

GEN_AI_BEFORE = Convention(
    name="gen_ai_before",
    keys={
        "tool": ("gen_ai.tool.function.name",),
        "input_tokens": ("gen_ai.usage.prompt_tokens",),
        "output_tokens": ("gen_ai.usage.completion_tokens",),
        "words": ("gen_ai.prompt",),
        "error": ("exception.type",),
    },
    events={
        "gen_ai.content.prompt": {"gen_ai.prompt": "words"},
        "gen_ai.user.message": {"content": "words"},
        "gen_ai.client.inference.operation.details": {"gen_ai.input.messages": "words"},
    },
)
