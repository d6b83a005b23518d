"""strands-agents' own spans: OpenTelemetry's names, with arguments and results in events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_detectors.normalise.conventions._interface import Convention

if TYPE_CHECKING:
    from agentcop_detectors.normalise.conventions._interface import Words
    from agentcop_detectors.normalise.raw import RawSpan

_TOOL: Final = "execute_tool"


def _amend(span: RawSpan, words: Words) -> None:
    """The same events stand on the spans of models and agents, where they are the conversation."""
    del span
    if words.get("operation") != _TOOL:
        words.pop("arguments", None)
        words.pop("result", None)


STRANDS = Convention(
    name="strands",
    events={
        "gen_ai.tool.message": {"content": "arguments"},
        "gen_ai.choice": {"message": "result"},
    },
    scopes=("strands.",),
    amend=_amend,
)
