"""autogen's own spans: OpenTelemetry's names, and its runtime's messages, which are no steps."""

from __future__ import annotations

from agentcop_detectors.normalise.conventions._interface import Convention

AUTOGEN = Convention(
    name="autogen",
    beginnings=(("autogen ", "other"),),
)
