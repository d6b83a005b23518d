"""The approvals of this process: each is answered once, and used once, for the call it was given for."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from agentcop_control.approval import Approval, Approve, Deny

if TYPE_CHECKING:
    from agentcop_control.approval import Answer

_REMEMBERED = 1_000


class ApprovalRefused(Exception):  # noqa: N818 -- as the other refusals
    """The approval does not cover this call; the message is the reason, in one sentence."""


class Ledger:
    """Approvals by id. Thread-safe; no method blocks. Empty after a fork, so that no grant is used on both sides.

    It lives in memory only: a grant over live objects, which no digest can follow, ends with the process.
    """

    def __init__(self) -> None:
        """Nothing is pending."""
        self.forget()

    def forget(self) -> None:
        """Drop everything: in a forked child, whose parent keeps its approvals and may have held the lock."""
        self._lock = threading.Lock()
        self._open: dict[str, Approval] = {}
        self._closed: OrderedDict[str, Approval] = OrderedDict()

    def ask(  # noqa: PLR0913 -- what an approval is bound to
        self, *, digest: str, policy_digest: str, agent_id: str, tool: str, asked: float, deadline: float
    ) -> Approval:
        """A new pending approval with an id that nobody can guess."""
        approval = Approval(
            id=os.urandom(8).hex(),
            digest=digest,
            policy_digest=policy_digest,
            agent_id=agent_id,
            tool=tool,
            asked=asked,
            deadline=deadline,
        )
        with self._lock:
            self._open[approval.id] = approval
        return approval

    def answer(self, approval_id: str, answer: Answer, *, by: str) -> Approval:
        """Note a person's answer. One that comes twice, or too late, changes nothing: look at the state returned."""
        match answer:
            case Approve():
                return self._close(approval_id, state="approved", by=by)
            case Deny(message):
                return self._close(approval_id, state="denied", by=by, message=message)
            case _:
                assert_never(answer)

    def expire(self, approval_id: str) -> Approval:
        """The time ran out, or the caller is gone. Also takes back a grant that was not used."""
        return self._close(approval_id, state="expired", also_from="approved")

    def use(self, approval_id: str, *, digest: str) -> Approval:
        """Spend the grant on the call with this digest. Raises ApprovalRefused if there is none for it."""
        with self._lock:
            approval = self._find(approval_id)
            if approval.state != "approved":
                raise ApprovalRefused(f"this approval is {approval.state}: it lets no call run")
            if not digest or digest != approval.digest:
                raise ApprovalRefused("the approval was given for another call")
            return self._keep(replace(approval, state="used"))

    def get(self, approval_id: str) -> Approval:
        """How it stands. Raises ApprovalRefused where it is not known (any more)."""
        with self._lock:
            return self._find(approval_id)

    def pending(self) -> tuple[Approval, ...]:
        """What waits for an answer, oldest first."""
        with self._lock:
            return tuple(approval for approval in self._open.values() if approval.state == "pending")

    def _close(self, approval_id: str, *, also_from: str = "", **changes: str) -> Approval:
        with self._lock:
            approval = self._find(approval_id)
            if approval.state not in {"pending", also_from}:
                return approval
            return self._keep(replace(approval, **changes))  # type: ignore[arg-type]  # a State and two texts

    def _find(self, approval_id: str) -> Approval:
        approval = self._open.get(approval_id) or self._closed.get(approval_id)
        if approval is None:
            raise ApprovalRefused("no such approval in this process")
        return approval

    def _keep(self, approval: Approval) -> Approval:
        if approval.state == "approved":
            self._open[approval.id] = approval
            return approval
        self._open.pop(approval.id, None)
        self._closed[approval.id] = approval
        while len(self._closed) > _REMEMBERED:
            self._closed.popitem(last=False)
        return approval


LEDGER = Ledger()
"""Of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=LEDGER.forget)
