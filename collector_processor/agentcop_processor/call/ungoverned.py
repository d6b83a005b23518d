"""Calls that no policy governs: counted and shown, refused where a live cop is strict."""

from __future__ import annotations

import itertools
import logging

from agentcop_core.errors import PolicyBlocked
from agentcop_core.names import canonical_name
from agentcop_processor.call.own_rules import own_verdict
from agentcop_processor.gate import live_gates

_log = logging.getLogger("agentcop")
_next = itertools.count(1)


class _Passed:
    """How many calls nobody judged."""

    count = 0


def ungoverned_calls() -> int:
    """How many calls of this process ran without any policy."""
    return _Passed.count


def let_pass(tool: str) -> None:
    """Count the call, warn at the first; raise PolicyBlocked if a live cop is strict."""
    _Passed.count = next(_next)
    if _Passed.count == 1:
        _log.warning("agentcop: %s ran outside any policy; further ones are counted, not logged", tool)
    for gate in live_gates():
        if gate.judging and gate.policy.document.gate.strict:
            reason = "no policy governs this call and a cop of this process is strict"
            verdict = own_verdict("gate.strict", reason, gate=gate, decided_by="none")
            gate.count("blocked")
            raise PolicyBlocked(tool=canonical_name(tool), reason=reason, verdict=verdict)
    for gate in live_gates():
        gate.count("ungoverned")
