"""crewai's own spans: OpenTelemetry's names, an agent known by its role, a failure told in a span of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_detectors.normalise.conventions._interface import Convention

if TYPE_CHECKING:
    from agentcop_detectors.normalise.conventions._interface import Words
    from agentcop_detectors.normalise.raw import RawSpan

_FAILURE: Final = "tool failure"


def _amend(span: RawSpan, words: Words) -> None:
    """`gen_ai.agent.name` holds a hash there; and the span that tells of a failed call is no second call."""
    role = words.pop("entity", "")
    if role:
        words["agent_name"] = role
    if span.name == _FAILURE:
        words.pop("operation", None)


CREWAI = Convention(
    name="crewai",
    keys={"entity": ("crewai.agent.role",)},
    scopes=("crewai",),
    amend=_amend,
)
