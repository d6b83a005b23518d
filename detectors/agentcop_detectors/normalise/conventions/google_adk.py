"""google-adk's own spans: OpenTelemetry's names, and its cloud's for content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_detectors.normalise.conventions._interface import Convention

if TYPE_CHECKING:
    from agentcop_detectors.normalise.conventions._interface import Words
    from agentcop_detectors.normalise.raw import RawSpan

_NOTHING: Final = "<not specified>"


def _amend(span: RawSpan, words: Words) -> None:
    """What a call that failed does not have is spelled out."""
    del span
    if words.get("call_id") == _NOTHING:
        del words["call_id"]


GOOGLE_ADK = Convention(
    name="google_adk",
    keys={
        "session_id": ("gcp.vertex.agent.session_id",),
        "arguments": ("gcp.vertex.agent.tool_call_args",),
        "result": ("gcp.vertex.agent.tool_response",),
        "prompt": ("gcp.vertex.agent.llm_request",),
    },
    beginnings=(("agent_run ", "agent"), ("call_llm", "model")),
    scopes=("gcp.vertex.agent",),
    amend=_amend,
)
