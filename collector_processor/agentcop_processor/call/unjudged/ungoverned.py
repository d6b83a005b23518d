"""Calls that no policy governs: counted and shown, refused where a live cop is strict."""

from __future__ import annotations

import atexit
import logging
from collections import Counter
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from agentcop_core.errors import PolicyBlocked
from agentcop_core.locks import safe_lock
from agentcop_core.names import canonical_name
from agentcop_core.verdict import Verdict
from agentcop_processor.alerting import alert_of_fault
from agentcop_processor.call.own_rules import own_verdict
from agentcop_processor.call.records import decision_line
from agentcop_processor.call.request import unread_call
from agentcop_processor.gate import live_gates
from agentcop_processor.judges import seated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentcop_processor.gate import Gate
    from agentcop_processor.judges import Seat

if TYPE_CHECKING:
    from contextvars import Token

_log = logging.getLogger("agentcop")
_MAX_TOOLS: Final = 1_000
_OTHERS: Final = "<others>"
_SAID_AT_EXIT: Final = 10


_going_over: ContextVar[str] = ContextVar("agentcop_going_over", default="")
"""The call that nobody governs and that is on its way to a server in this context."""


class _Passed:
    """How many calls nobody judged, by tool; names beyond the bound are counted together."""

    def __init__(self) -> None:
        self.lock = safe_lock()
        self.tools: Counter[str] = Counter()
        self.said_at_exit = False


_passed = _Passed()


def ungoverned_calls() -> int:
    """How many calls of this process ran without any policy."""
    with _passed.lock:
        return _passed.tools.total()


def ungoverned_tools() -> Mapping[str, int]:
    """The tools whose calls ran without any policy, most often called first."""
    with _passed.lock:
        return dict(_passed.tools.most_common())


class GoingOver:
    """Stands around a call that was let pass on its way to a server: further on that way it is not counted again."""

    def __init__(self, tool: str) -> None:
        """From now on."""
        self._tool = tool
        self._token: Token[str] | None = _going_over.set(tool)

    def started(self) -> None:
        """It was current before."""

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
    """Count the call; warn, and write it to the live cops' logs, at a tool's first. Never waits for that log.

    Raises PolicyBlocked if a live cop is strict and enforces.
    """
    if _going_over.get() == tool:
        return
    gates = live_gates()
    for seat in seated(gates) if gates else ():
        if seat.enforces and seat.policy.document.gate.strict:
            raise _refused(tool, seat)
    name = canonical_name(tool)
    with _passed.lock:
        if not _passed.said_at_exit:
            _passed.said_at_exit = True
            atexit.register(_say_at_exit)
        if name not in _passed.tools and len(_passed.tools) >= _MAX_TOOLS:
            name = _OTHERS
        _passed.tools[name] += 1
        first = _passed.tools[name] == 1
    for gate in gates:
        gate.count("ungoverned")
    if first:
        _log.warning("agentcop: %s ran outside any policy; further calls of it are counted, not logged", name)
        for gate in _one_a_log(gates):
            call = unread_call(tool, agent_id="", session_id="", run_id="")
            gate.log_line(decision_line(call, _UNGOVERNED, ""))


_UNGOVERNED: Final = Verdict(
    decision="allow", rule="ungoverned", reason="no policy governs this call", decided_by="none"
)


def _refused(tool: str, seat: Seat) -> PolicyBlocked:
    gate = seat.gate
    reason = "no policy governs this call and a cop of this process is strict"
    verdict = own_verdict("gate.strict", reason, seat=seat, decided_by="none")
    gate.count("blocked")
    call = unread_call(tool, agent_id=gate.agent_id, session_id=gate.session.id, run_id="")
    gate.log_line(decision_line(call, verdict, ""), sync=True)
    alert_of_fault(call.tool, verdict, gate)
    return PolicyBlocked(tool=call.tool, reason=reason, verdict=verdict)


def _one_a_log(gates: Iterable[Gate]) -> Iterable[Gate]:
    return {gate.pipeline.home: gate for gate in gates}.values()


def _say_at_exit() -> None:
    tools = ungoverned_tools()
    named = ", ".join(f"{tool} ({count})" for tool, count in list(tools.items())[:_SAID_AT_EXIT])
    more = f" and {len(tools) - _SAID_AT_EXIT} more tools" if len(tools) > _SAID_AT_EXIT else ""
    _log.warning("agentcop: %d calls of this process ran outside any policy: %s%s", sum(tools.values()), named, more)
