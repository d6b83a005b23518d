"""gate.log: one hash-chained JSON line before a tool runs and one after it; its writer, reader and verifier."""

from __future__ import annotations

from agentcop_processor.gatelog.chain import Head
from agentcop_processor.gatelog.writer import GateLog

__all__ = ["GateLog", "Head"]
