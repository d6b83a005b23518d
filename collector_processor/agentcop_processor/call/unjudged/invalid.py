"""Calls whose arguments do not fit the tool: no verdict, nothing ran, but the attempt is on record."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from agentcop_core.names import canonical_name
from agentcop_processor.sessions import current_session

if TYPE_CHECKING:
    from agentcop_processor.gate import Gate

_log = logging.getLogger("agentcop")


def log_invalid(tool: str, error: Exception, gates: tuple[Gate, ...]) -> None:
    """Count the attempt and write its line, with the kind of error and no values. Never raises."""
    for gate in gates:
        gate.count("invalid")
        session = current_session() or gate.session
        line = {
            "kind": "invalid",
            "agent": gate.agent_id,
            "session": session.id,
            "tool": canonical_name(tool),
            "error": type(error).__name__,
        }
        try:
            gate.pipeline.log.append(line)
        except OSError:
            gate.count("log_failures")
            _log.exception("agentcop: gate.log could not take the line of an invalid call")
