"""The verdict slot: one call, judged exactly once, whoever comes first."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

from agentcop_core.verdict import DecidedBy, Verdict, strictest
from agentcop_processor.call.own_rules import answering, own_verdict

if TYPE_CHECKING:
    from agentcop_core.session import Session
    from agentcop_core.toolcall import ToolCall
    from agentcop_processor.gate import Gate

_log = logging.getLogger("agentcop")

State = Literal["open", "judging", "judged"]
"""`open`: nobody saw it yet. `judging`: a policy is at work; spans it opens are not judged. `judged`: final."""


class Slot:
    """One call waiting for its verdict; belongs to one thread or task."""

    __slots__ = ("call", "gates", "session", "state", "verdict")

    def __init__(self, call: ToolCall, gates: tuple[Gate, ...], session: Session) -> None:
        """`gates`: whose policies judge; none means nobody governs the call."""
        self.call = call
        self.gates = gates
        self.session = session
        self.state: State = "open"
        self.verdict: Verdict | None = None


SLOT: ContextVar[Slot | None] = ContextVar("agentcop_slot", default=None)
"""The open call of this context, set by the seam around the start of its span."""


def judge(slot: Slot, decided_by: DecidedBy) -> None:
    """Fill the slot with the verdict that holds. Idempotent: acts only on an `open` slot. Never raises.

    A fault becomes `block` by `gate.error`: an empty slot may only mean that nobody looked.
    """
    if slot.state != "open":
        return
    slot.state = "judging"
    call = slot.call
    try:
        if len(slot.gates) == 1:
            slot.verdict = slot.gates[0].decide(call, slot.session, decided_by)
        else:
            slot.verdict = strictest(gate.decide(call, slot.session, decided_by) for gate in slot.gates)
    except Exception as error:
        _log.exception("agentcop: the gate failed while judging %s", call.tool)
        reason = f"the gate failed while judging this call ({type(error).__name__})"
        slot.verdict = own_verdict("gate.error", reason, gate=answering(slot.gates), call=call, decided_by=decided_by)
    slot.state = "judged"
