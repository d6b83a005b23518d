"""From what the scorer found to a person who hears of it: `Teller` is the way in."""

from __future__ import annotations

from agentcop_detectors.telling.teller import Teller

__all__ = ["Teller"]
