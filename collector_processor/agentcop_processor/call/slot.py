"""The verdict slot: one call, judged exactly once, whoever comes first."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

from agentcop_core.verdict import DecidedBy, Verdict, strictest
from agentcop_processor.call.own_rules import own_verdict
from agentcop_processor.judges import answering

if TYPE_CHECKING:
    from agentcop_core.session import Session
    from agentcop_core.toolcall import ToolCall
    from agentcop_processor.judges import Seat

_log = logging.getLogger("agentcop")

State = Literal["open", "judging", "judged"]
"""`open`: nobody saw it yet. `judging`: a policy is at work; spans it opens are not judged. `judged`: final."""


class Slot:
    """One call waiting for its verdict; belongs to one thread or task."""

    __slots__ = ("bench", "call", "session", "state", "verdict")

    def __init__(self, call: ToolCall, bench: tuple[Seat, ...], session: Session) -> None:
        """`bench`: whose policies judge, at least one."""
        self.call = call
        self.bench = bench
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
    try:
        slot.verdict = verdict_of(slot.call, slot.bench, slot.session, decided_by)
    except Exception as error:
        _log.exception("agentcop: the gate failed while judging %s", slot.call.tool)
        reason = f"the gate failed while judging this call ({type(error).__name__})"
        seat = answering(slot.bench)
        slot.verdict = own_verdict("gate.error", reason, seat=seat, call=slot.call, decided_by=decided_by)
    slot.state = "judged"


def verdict_of(call: ToolCall, bench: tuple[Seat, ...], session: Session, decided_by: DecidedBy) -> Verdict:
    """What holds for `call` under all of `bench`. May raise what a policy should not."""
    if len(bench) == 1:
        gate, policy = bench[0]
        return gate.decide(call, session, decided_by, policy)
    return strictest(seat.gate.decide(call, session, decided_by, seat.policy) for seat in bench)
