"""Calls that no policy governs: counted and shown, refused where a live cop is strict."""

from __future__ import annotations

import itertools
import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING

from agentcop_core.errors import PolicyBlocked
from agentcop_core.names import canonical_name
from agentcop_processor.call.own_rules import own_verdict
from agentcop_processor.gate import live_gates

if TYPE_CHECKING:
    from contextvars import Token

_log = logging.getLogger("agentcop")
_next = itertools.count(1)


_going_over: ContextVar[str] = ContextVar("agentcop_going_over", default="")
"""The call that nobody governs and that is on its way to a server in this context."""


class _Passed:
    """How many calls nobody judged."""

    count = 0


def ungoverned_calls() -> int:
    """How many calls of this process ran without any policy."""
    return _Passed.count


class GoingOver:
    """Stands around a call that was let pass on its way to a server: further on that way it is not counted again."""

    def __init__(self, tool: str) -> None:
        """From now on."""
        self._tool = tool
        self._token: Token[str] | None = _going_over.set(tool)

    def resume(self) -> None:
        """Before a further piece of the work."""
        self._token = _going_over.set(self._tool)

    def suspend(self) -> None:
        """Between the pieces, and at the end. Never raises."""
        token, self._token = self._token, None
        if token is not None:
            try:
                _going_over.reset(token)
            except ValueError:
                return  # ended from another context, as an abandoned coroutine is

    def returned(self, result: object) -> None:  # noqa: ARG002 -- nobody records it
        """The server has answered."""
        self.suspend()

    def failed(self, error: BaseException) -> None:  # noqa: ARG002 -- nobody records it
        """The call raised."""
        self.suspend()


def let_pass(tool: str) -> None:
    """Count the call, warn at the first; raise PolicyBlocked if a live cop is strict."""
    if _going_over.get() == tool:
        return
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
