"""Whom an agent's policy lets this process ask, and what of the answer is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agentcop_control.approval import Deny
from agentcop_control.asking import Unreachable, contact_of, inside_an_approver
from agentcop_core.escape import escape, shorten
from agentcop_core.locks import IMPORTING

if TYPE_CHECKING:
    from agentcop_control.approval import Answer
    from agentcop_control.asking import Contact
    from agentcop_processor.gate import Gate

_MAX_NAME = 200
_MAX_MESSAGE = 2_000


def contact_for(gate: Gate) -> Contact:
    """The cop's own approver, else the terminal where the policy says so. Raises Unreachable with the reason."""
    if inside_an_approver():
        raise Unreachable("a call that an approver makes cannot wait for approval itself")
    if gate.approver is not None:
        return contact_of(gate.approver)
    document = gate.policy.document
    if not document.approvals.local:
        raise Unreachable("this process has nobody to ask: no AgentCop(approver=…), and approvals.local is not true")
    if document.environment == "production":
        raise Unreachable("approvals.local does not count in environment: production")
    with IMPORTING:
        from agentcop_control.terminal import TERMINAL

    return TERMINAL


def name_of(gate: Gate) -> str:
    """Who answered, where the answer does not say."""
    return "the approver" if gate.approver is not None else "the terminal"


def bounded(answer: Answer) -> Answer:
    """The answer with its texts on one line each, and no longer than a log line bears."""
    by = shorten(escape(answer.by), _MAX_NAME)
    if isinstance(answer, Deny):
        return Deny(shorten(escape(answer.message), _MAX_MESSAGE), by=by)
    return replace(answer, by=by)
