"""A held call: a person is asked, the answer is recorded, and the call is judged again before it may run.

    admitted = admission("refund", {"amount": 900}, gates)
    if isinstance(admitted, Held):
        admitted = admitted.wait()             # blocks this thread
        admitted = await admitted.awaited()    # or awaits

Either way ends in a passage or in a ToolBlocked. A yes holds for this call, these arguments and the policy that asked.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Never, assert_never

from opentelemetry.trace import Status, StatusCode, format_trace_id

from agentcop_control.approval import Deny
from agentcop_control.asking import Question, Unreachable, ask, ask_async
from agentcop_control.ledger import LEDGER, ApprovalRefused
from agentcop_core import attributes as names
from agentcop_core.errors import ApprovalDenied, ApprovalExpired, NoApprover, ToolBlocked
from agentcop_core.verdict import strictest
from agentcop_processor.approver import bounded, contact_for, name_of
from agentcop_processor.call.own_rules import own_verdict
from agentcop_processor.call.passage import Passage
from agentcop_processor.call.records import approval_attributes, approval_line, decision_line, verdict_attributes
from agentcop_processor.call.refusals import duration, refuse
from agentcop_processor.judges import answering, seated
from agentcop_processor.protected import led_to
from agentcop_processor.sandbox.boxing import Boxed, Boxing, ordered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.trace import Span

    from agentcop_control.approval import Approval
    from agentcop_control.asking import Contact, Reply
    from agentcop_core.session import Session
    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import Verdict
    from agentcop_processor.call.own_rules import OwnRule
    from agentcop_processor.gate import Gate
    from agentcop_processor.judges import Seat
    from agentcop_processor.runs import Run
    from agentcop_processor.sandbox.boxing import Ship

_log = logging.getLogger("agentcop")

Outcome = Literal["approved", "denied", "expired", "no_approver", "approver_failed"]
"""`approved`, `denied`: a person answered. `expired`: not in time, or the caller gave up waiting. `no_approver`: nobody
could be asked. `approver_failed`: the approver raised, or answered neither yes nor no."""


class Held:
    """One call that may run only if a person says yes. Belongs to one thread or task; made by `seam.admission`."""

    __slots__ = (
        "_asked",
        "_bench",
        "_grants",
        "_head",
        "_holds",
        "_max_argument",
        "_owner",
        "_run",
        "_session",
        "_ship",
        "_span",
        "_ways",
        "call",
        "verdict",
    )

    def __init__(  # noqa: PLR0913 -- everything the seam found out about the call
        self,
        *,
        call: ToolCall,
        verdict: Verdict,
        max_argument: int,
        owner: object,
        ways: frozenset[str],
        bench: tuple[Seat, ...],
        session: Session,
        run: Run | None,
        span: Span,
        decision: str,
        ship: Ship | None = None,
    ) -> None:
        """As `Passage`; `verdict` is the one that holds the call, and is in the log already, at `decision`.

        `ship`: how its tool is made in a box, if a policy wants it there.
        """
        self._ship = ship
        self.call = call
        self.verdict = verdict
        self._max_argument = max_argument
        self._owner = owner
        self._ways = ways
        self._bench = bench
        self._session = session
        self._run = run
        self._span = span
        self._head = decision
        self._holds = verdict
        self._asked: tuple[Seat, Approval] | None = None
        self._grants: dict[Gate, Approval] = {}

    @property
    def _gate(self) -> Gate:
        """The nearest: in its log and its counters the call stands."""
        return self._bench[-1].gate

    def wait(self) -> Passage:
        """Block this thread until everybody who must say yes has. Raises ToolBlocked, or what interrupts the wait."""
        with self._failing_closed():
            while (found := self._next()) is not None:
                self._take(ask(*found))
            passage = self._passage()
        return passage if passage.box is None else Boxing(passage, passage.box).wait()

    async def awaited(self) -> Passage:
        """The same for callers in an event loop, which goes on meanwhile. Needs asyncio's loop."""
        with self._failing_closed():
            while (found := self._next()) is not None:
                self._take(await ask_async(*found))
            passage = self._passage()
        return passage if passage.box is None else await Boxing(passage, passage.box).awaited()

    @contextmanager
    def _failing_closed(self) -> Iterator[None]:
        try:
            yield
        except ToolBlocked:
            self._withdraw()
            raise
        except Exception as error:
            _log.exception("agentcop: the gate failed while %s waited for approval", self.call.tool)
            self._withdraw()
            self._block("gate.error", f"the gate failed while this call waited ({type(error).__name__})")
        except BaseException as error:  # the caller was cancelled or interrupted: nothing runs
            self._end_interrupted(error)
            raise

    def _next(self) -> tuple[Question, Contact] | None:
        """Judge under the policies of this moment: whom to ask next, or None if the call may run."""
        if self._run is not None and self._run.halted:
            self._block("run.blocked", "this run was blocked by an earlier call")
        if led := led_to(self.call.arguments):  # a link may have been turned while somebody was asked
            self._block("gate.protected", self._gate.pipeline.redactor.redact_text(led))
        now = replace(self.call, at=time.time())
        self._bench = seated(tuple(seat.gate for seat in self._bench))
        verdicts = [seat.gate.decide(now, self._session, "seam", seat.policy) for seat in self._bench]
        holds = strictest(verdicts)
        if holds.stops and holds.decision == "block":
            raise self._refusal(holds)
        self._holds = holds
        for seat, verdict in zip(self._bench, verdicts, strict=True):
            if verdict.stops and not self._granted(seat.gate, verdict):
                return self._question(seat, verdict)
        return None

    def _granted(self, gate: Gate, verdict: Verdict) -> bool:
        grant = self._grants.get(gate)
        return grant is not None and grant.policy_digest == verdict.policy_digest

    def _question(self, seat: Seat, verdict: Verdict) -> tuple[Question, Contact]:
        if self._grants:  # the first question stands in the log already
            self._head = self._log_decision(verdict, None)
        self.verdict = verdict
        gate, document = seat.gate, seat.policy.document
        call = self.call
        try:
            contact = contact_for(gate)
        except Unreachable as nobody:
            self._unanswered("no_approver", str(nobody))
        asked = time.time()
        approval = LEDGER.ask(
            digest=call.digest,
            policy_digest=verdict.policy_digest,
            agent_id=verdict.agent_id,
            tool=call.tool,
            asked=asked,
            deadline=asked + document.approvals.timeout,
        )
        self._asked = (seat, approval)
        self._span.set_attribute(names.COP_APPROVAL_ID, approval.id)
        question = Question(
            approval=approval,
            call=call,
            verdict=verdict,
            arguments=gate.pipeline.redactor.redact_json(call.arguments.canonical, call.arguments.plain),
            timeout=document.approvals.timeout,
            environment=document.environment,
            principal=self._session.user,
            approvers=document.approvals.approvers,
        )
        return question, contact

    def _take(self, reply: Reply) -> None:
        """Record what came back. Returns on a yes alone."""
        if self._asked is None:
            raise RuntimeError("an answer to no question")
        (gate, _), approval = self._asked
        match reply.kind:
            case "answered" if reply.answer is not None:
                answer = bounded(reply.answer)
                approval = LEDGER.answer(approval.id, answer, by=answer.by or name_of(gate))
                if isinstance(answer, Deny):
                    self._denied(approval, reply)
                if approval.state != "approved":
                    self._expired(approval, reply)
                self._record("approved", approval, reply)
                self._asked = None
                if (outdated := self._grants.pop(gate, None)) is not None:
                    LEDGER.expire(outdated.id)
                self._grants[gate] = approval
            case "expired":
                self._expired(LEDGER.expire(approval.id), reply)
            case "unreachable":
                self._unanswered("no_approver", reply.why, reply)
            case "failed" | "answered":
                self._unanswered("approver_failed", reply.why, reply)
            case _:
                assert_never(reply.kind)

    def _passage(self) -> Passage:
        last = next(reversed(self._grants.values()), None)
        verdict = self._holds
        if last is not None and verdict.stops:
            verdict = replace(verdict, decision="allow", reason=f"approved by {last.by}")
        order, ordering = ordered(self.call, verdict, self._bench, self._ship)  # policies may have changed meanwhile
        if ordering is not verdict:
            self._withdraw()
            raise self._refusal(ordering)
        head = self._log_decision(verdict, last)
        self._mark(verdict, head)
        gate = self._gate
        gate.count("approved" if last is not None else "allowed" if verdict.decision == "allow" else "observed")
        self._session.count_held()
        return Granted(
            call=self.call,
            verdict=verdict,
            values=self.call.arguments.values,
            max_argument=self._max_argument,
            owner=self._owner,
            ways=self._ways,
            bench=self._bench,
            session=self._session,
            run=self._run,
            span=self._span,
            decision=head,
            box=Boxed(order, gate.pipeline.home) if order is not None else None,
            grants=tuple(self._grants.values()),
        )

    def _log_decision(self, verdict: Verdict, approval: Approval | None) -> str:
        """A further decision about the same call, on disk before it counts; a log that fails blocks, as at the seam."""
        context = self._span.get_span_context()
        line = decision_line(self.call, verdict, format_trace_id(context.trace_id) if context.is_valid else "")
        if approval is not None:
            line |= {"approval": approval.id, "by": approval.by, "approved_locally": True}
        gate = self._gate
        try:
            return str(gate.pipeline.log.append(line, sync=True))
        except OSError as error:
            gate.count("log_failures")
            _log.exception("agentcop: gate.log cannot be written")
            lenient = all(each.policy.document.gate.log_failure == "allow" for each in self._bench)
            if verdict.stops or lenient:
                return ""
            self._block("gate.log_failure", f"gate.log cannot be written ({error.strerror or type(error).__name__})")

    def _record(self, outcome: Outcome, approval: Approval | None, reply: Reply | None, error: str = "") -> None:
        ms = round(reply.waited * 1_000, 3) if reply is not None else 0.0
        line = approval_line(self.call, outcome, approval, error=error, decision=self._head, ms=ms)
        if self._asked is not None and (approvers := self._asked[0].policy.document.approvals.approvers):
            line["approvers"] = list(approvers)
        redact = self._gate.pipeline.redactor.redact_text
        self._gate.log_line({**line, "message": redact(str(line.get("message", "")))}, sync=True)
        self._span.set_attributes(approval_attributes(outcome, approval))

    def _denied(self, approval: Approval, reply: Reply) -> Never:
        self._record("denied", approval, reply)
        reason = f"denied by {approval.by}" + (f": {approval.message}" if approval.message else "")
        self._refuse_with(
            ApprovalDenied(
                tool=self.call.tool,
                reason=reason,
                by=approval.by,
                message=approval.message,
                verdict=self.verdict,
                call_digest=self.call.digest,
            )
        )

    def _expired(self, approval: Approval, reply: Reply) -> Never:
        self._record("expired", approval, reply)
        self._refuse_with(
            ApprovalExpired(
                tool=self.call.tool,
                reason=f"no answer in {duration(approval.deadline - approval.asked)}",
                waited=reply.waited,
                verdict=self.verdict,
                call_digest=self.call.digest,
            )
        )

    def _unanswered(self, outcome: Outcome, why: str, reply: Reply | None = None) -> Never:
        approval = LEDGER.expire(self._asked[1].id) if self._asked is not None else None
        self._record(outcome, approval, reply, error=why)
        reason = f"{self.verdict.reason}; {why}"
        call = self.call
        self._refuse_with(NoApprover(tool=call.tool, reason=reason, verdict=self.verdict, call_digest=call.digest))

    def _refuse_with(self, error: ToolBlocked) -> Never:
        raise refuse(
            self.call,
            self.verdict,
            gate=self._gate,
            session=self._session,
            run=self._run,
            span=self._span,
            error=error,
        )

    def _block(self, rule: OwnRule, reason: str) -> Never:
        raise self._refusal(own_verdict(rule, reason, seat=answering(self._bench), call=self.call)) from None

    def _refusal(self, verdict: Verdict) -> ToolBlocked:
        """A block in place of the passage: logged as a decision of its own where the log can be written."""
        head = self._log_decision(verdict, None) if verdict.rule != "gate.log_failure" else ""
        self._mark(verdict, head)
        return refuse(self.call, verdict, gate=self._gate, session=self._session, run=self._run, span=self._span)

    def _mark(self, verdict: Verdict, head: str) -> None:
        attributes = verdict_attributes(verdict, head)
        self._span.set_attributes({**attributes, names.COP_REASON: verdict.reason})

    def _withdraw(self) -> Approval | None:
        """Take back what was not used: the question, and the answers that came."""
        try:
            for grant in self._grants.values():
                LEDGER.expire(grant.id)
            return LEDGER.expire(self._asked[1].id) if self._asked is not None else None
        except ApprovalRefused:  # forgotten: in a forked child, or closed long ago
            return None

    def _end_interrupted(self, error: BaseException) -> None:
        kind = type(error).__name__
        try:
            self._record("expired", self._withdraw(), None, error=kind)
            gate = self._gate
            gate.count("expired")
            self._session.count_held()
            self._span.set_status(Status(StatusCode.ERROR, "the caller gave up waiting for approval"))
            self._span.set_attribute(names.ERROR_TYPE, kind)
            gate.end_span(self._span)
        except Exception:
            _log.exception("agentcop: the end of %s, which waited for approval, could not be recorded", self.call.tool)


class Granted(Passage):
    """A passage that a person opened: good for one entering."""

    __slots__ = ("_grants",)

    def __init__(self, *, grants: tuple[Approval, ...], **parts: object) -> None:
        """`grants`: every yes it took. The rest as `Passage`."""
        super().__init__(**parts)  # type: ignore[arg-type]  # Passage names and checks them
        self._grants = grants

    @property
    def approved(self) -> bool:
        """Whether a person was asked; the policy may have changed meanwhile, and need none."""
        return bool(self._grants)

    def enter(self) -> Mapping[str, object]:
        """As `Passage.enter`, once the grants are spent. Raises PolicyBlocked where one was, or is another call's."""
        try:
            for grant in self._grants:
                LEDGER.use(grant.id, digest=self.call.digest)
        except ApprovalRefused as refused:
            verdict = own_verdict("gate.approval", str(refused), seat=answering(self._bench), call=self.call)
            raise self._unusable(verdict, outcome="approval_refused") from None
        return super().enter()
