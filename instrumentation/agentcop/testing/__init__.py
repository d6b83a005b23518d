"""For those who write an adapter: the suite that it must pass."""

from __future__ import annotations

from agentcop.testing._conformance import NonConforming, check_adapter
from agentcop.testing._tools import SHAPES, Exercise, Shape, Tools

__all__ = ["SHAPES", "Exercise", "NonConforming", "Shape", "Tools", "check_adapter"]
