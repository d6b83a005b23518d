"""Every convention that is read, one file each; where two name a thing in one span, the one listed first holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_detectors.normalise.conventions.agentcop import AGENTCOP
from agentcop_detectors.normalise.conventions.autogen import AUTOGEN
from agentcop_detectors.normalise.conventions.crewai import CREWAI
from agentcop_detectors.normalise.conventions.gen_ai import GEN_AI
from agentcop_detectors.normalise.conventions.gen_ai_before import GEN_AI_BEFORE
from agentcop_detectors.normalise.conventions.google_adk import GOOGLE_ADK
from agentcop_detectors.normalise.conventions.mcp import MCP
from agentcop_detectors.normalise.conventions.openinference import OPENINFERENCE
from agentcop_detectors.normalise.conventions.openllmetry import OPENLLMETRY
from agentcop_detectors.normalise.conventions.pydantic_ai import PYDANTIC_AI
from agentcop_detectors.normalise.conventions.strands import STRANDS

if TYPE_CHECKING:
    from agentcop_detectors.normalise.conventions._interface import Convention

CONVENTIONS: Final[tuple[Convention, ...]] = (
    AGENTCOP,
    GEN_AI,
    GEN_AI_BEFORE,
    MCP,
    OPENINFERENCE,
    OPENLLMETRY,
    PYDANTIC_AI,
    GOOGLE_ADK,
    STRANDS,
    CREWAI,
    AUTOGEN,
)
