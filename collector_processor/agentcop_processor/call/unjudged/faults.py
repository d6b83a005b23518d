"""A call at which the gate itself failed: refused with a reason, or let through where everything is only observed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from agentcop_core.errors import PolicyBlocked
from agentcop_core.names import canonical_name
from agentcop_processor.alerting import alert_of_fault
from agentcop_processor.call.own_rules import own_verdict
from agentcop_processor.call.records import decision_line
from agentcop_processor.call.request import unread_call
from agentcop_processor.judges import answering, seated
from agentcop_processor.sessions import current_session

if TYPE_CHECKING:
    from agentcop_core.verdict import Verdict
    from agentcop_processor.gate import Gate
    from agentcop_processor.judges import Seat
    from agentcop_processor.runs import Run

_log = logging.getLogger("agentcop")


def failed(tool: str, gates: tuple[Gate, ...], run: Run | None, fault: Exception) -> PolicyBlocked | None:
    """The refusal of a call that could not be judged; None where it may run, because its gates only observe.

    Counted, logged, told of and marked on the run, as far as the fault leaves room for it. Never raises. `gates`: who
    would have judged, at least one.
    """
    reason = f"the gate failed before it could judge ({type(fault).__name__})"
    verdict: Verdict | None = None
    try:
        # Inside, for there may be no room for a line of text either: memory and stack run out at any call.
        _log.error("agentcop: the gate failed at %s", tool, exc_info=fault)
        seat = answering(seated(gates))
        verdict = own_verdict("gate.error", reason, seat=seat)
        _record(tool, verdict, seat, run)
    except Exception as another:
        reason = f"{reason}; and could not record it ({type(another).__name__})"
    if verdict is not None and not verdict.stops:
        return None
    blocked = PolicyBlocked(tool=_name(tool), reason=reason, verdict=verdict)
    if run is not None:
        run.refused(blocked, sticky=True)
    return blocked


def _record(tool: str, verdict: Verdict, seat: Seat, run: Run | None) -> None:
    gate = seat.gate
    gate.count("blocked" if verdict.stops else "observed")
    session = current_session() or gate.session
    call = unread_call(tool, agent_id=gate.agent_id, session_id=session.id, run_id=run.id if run is not None else "")
    gate.log_line(decision_line(call, verdict, ""), sync=verdict.stops)
    alert_of_fault(call.tool, verdict, gate)


def _name(tool: str) -> str:
    try:
        return canonical_name(tool)
    except Exception:
        return tool
