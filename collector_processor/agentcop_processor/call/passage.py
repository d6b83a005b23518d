"""One admitted call on its way through the tool's body: same arguments in, outcome logged on the way out."""

from __future__ import annotations

import logging
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING

from opentelemetry import context as context_api
from opentelemetry.trace import Status, StatusCode

from agentcop_core import attributes as names
from agentcop_core.canonical import unchanged
from agentcop_core.session import Observed
from agentcop_processor.alerting import alert_of_block
from agentcop_processor.call.own_rules import own_verdict
from agentcop_processor.call.records import decision_line, outcome_line, verdict_attributes
from agentcop_processor.call.refusals import refuse
from agentcop_processor.call.results import text_of
from agentcop_processor.call.transport import Crossing, stands_for
from agentcop_processor.judges import answering
from agentcop_processor.telemetry.spans import context_with

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from agentcop_core.errors import ToolBlocked
    from agentcop_core.session import Session
    from agentcop_core.toolcall import ToolCall
    from agentcop_core.verdict import Verdict
    from agentcop_processor.call.own_rules import OwnRule
    from agentcop_processor.call.transport import Transport
    from agentcop_processor.gate import Gate
    from agentcop_processor.judges import Seat
    from agentcop_processor.runs import Run
    from agentcop_processor.sandbox.boxing import Boxed

_log = logging.getLogger("agentcop")

_active: ContextVar[Passage | None] = ContextVar("agentcop_passage", default=None)


def active_passage() -> Passage | None:
    """The innermost call whose body is running in this context."""
    return _active.get()


class Passage:
    """A judged and logged call. Belongs to one thread or task; made by `seam.admit`.

    The body's outcome goes to the log, the span and the session; none of that can fail the call any more.
    """

    __slots__ = (
        "_bench",
        "_context_token",
        "_decision",
        "_ended",
        "_gate",
        "_max_argument",
        "_passage_token",
        "_run",
        "_running",
        "_session",
        "_span",
        "_started",
        "_values",
        "box",
        "call",
        "crossing",
        "owner",
        "verdict",
        "ways",
    )

    def __init__(  # noqa: PLR0913 -- everything the seam found out about the call
        self,
        *,
        call: ToolCall,
        verdict: Verdict,
        values: Mapping[str, object],
        max_argument: int,
        owner: object,
        ways: frozenset[str],
        bench: tuple[Seat, ...],
        session: Session,
        run: Run | None,
        span: Span,
        decision: str,
        box: Boxed | None = None,
    ) -> None:
        """`owner` is the tool object called and `ways` its methods that the call came through.

        `bench` has judged it; it is recorded in the name of the last. `decision` is the head of its line in gate.log;
        "" where the policy lets an unwritable log pass. `box`: where its body must run; None: here.
        """
        self.call = call
        self.box = box
        self._ended = False
        self.verdict = verdict
        self.owner = owner
        self.ways = ways
        self._running = False
        self._values = values
        self._max_argument = max_argument
        self._bench = bench
        self._gate = bench[-1].gate
        self.crossing = Crossing()
        self._session = session
        self._run = run
        self._span = span
        self._decision = decision
        self._started = 0.0
        self._context_token: Token[Context] | None = None
        self._passage_token: Token[Passage | None] | None = None

    @property
    def approved(self) -> bool:
        """Whether a person let it pass."""
        return False

    @property
    def running(self) -> bool:
        """Whether the body runs, so that its end will be told; else its calls are calls of their own."""
        return self._running

    def carries(self, call: ToolCall, owner: object, way: str) -> bool:
        """Whether `call` is this same call, coming through another method of the same tool object.

        `invoke` that hands its very arguments on to `run` is one call; with other arguments it is judged anew. The
        body of a call with a box runs there: what is called here meanwhile, as by a callback, is no part of it.
        """
        return (
            self.box is None
            and self.running
            and owner is not None
            and owner is self.owner
            and way not in self.ways
            and call.digest == self.call.digest
            and call.digest != ""
        )

    def continued(self, call: ToolCall, way: str) -> Passage:
        """The inner part of a carried call: no verdict, line or span of its own."""
        inner = Carried(
            call=call,
            verdict=self.verdict,
            values=call.arguments.values,
            max_argument=self._max_argument,
            owner=self.owner,
            ways=self.ways | {way},
            bench=self._bench,
            session=self._session,
            run=self._run,
            span=self._span,
            decision=self._decision,
        )
        inner.outer = self
        return inner

    def transports(self, call: ToolCall, gates: tuple[Gate, ...], way: str, transport: Transport) -> bool:
        """Whether `call` is this call going over to its server; if so that is under way from now on.

        It goes over once: at a second time, and in what goes on meanwhile (a server that asks its caller for
        something), it is a call of its own. So it is where somebody would judge it who has not judged this one.
        """
        if (
            self.box is not None
            or not self.running
            or way in self.ways
            or not set(gates) <= {seat.gate for seat in self._bench}
        ):
            return False
        return stands_for(self.call, self.owner, self.ways, call) and self.crossing.begin(transport)

    def transported(self, call: ToolCall, way: str, owner: object) -> Passage:
        """The part of this call that goes over to its server, after `transports`: no verdict, line or span of its own.

        `owner` is what it goes through.
        """
        inner = Transported(
            call=call,
            verdict=self.verdict,
            values=call.arguments.values,
            max_argument=self._max_argument,
            owner=owner,
            ways=self.ways | {way},
            bench=self._bench,
            session=self._session,
            run=self._run,
            span=self._span,
            decision=self._decision,
        )
        inner.outer = self
        return inner

    def enter(self) -> Mapping[str, object]:
        """The arguments the body must be given; its span is current from here on, and `started` comes next.

        Raises PolicyBlocked if they are no longer those that were judged, unless that is only observed.
        """
        call = self.call
        if self._values is call.arguments.values and not unchanged(call.arguments, max_bytes=self._max_argument):
            self._changed()
        self._session.count_call(call.tool)
        self._started = time.perf_counter()
        self._make_current()
        return self._values

    def started(self) -> None:
        """The body runs from here to `returned` or `failed`, and only so long may this verdict be lent to inner parts.

        A signal handler that raises before this leaves a passage that is current, though nothing runs in it.
        """
        self._running = True

    def resume(self) -> None:
        """Make the call's span current again, before each step of a generator."""
        self._running = True
        self._make_current()

    def _make_current(self) -> None:
        if self._span.is_recording():
            self._context_token = context_api.attach(context_with(self._span))
        self._passage_token = _active.set(self)

    def suspend(self) -> None:
        """Give the caller its own context back, at the end and between the steps of a generator. Never raises."""
        passage, self._passage_token = self._passage_token, None
        span, self._context_token = self._context_token, None
        if passage is not None:
            try:
                _active.reset(passage)
            except ValueError:
                return  # ended from another context, as an abandoned coroutine is: nothing of ours is current here
        if span is not None:
            context_api.detach(span)

    def returned(self, result: object) -> None:
        """The body returned `result`. Never raises."""
        self._running = False
        self.suspend()
        try:
            if self._gate.monitor:
                text = text_of(result)
                self._session.observe(Observed(kind="tool_result", text=text, tool=self.call.tool))
                self._gate.keep_result(self._span, text)
            self._close("ok", "")
        except Exception:
            _log.exception("agentcop: the outcome of %s could not be recorded", self.call.tool)

    def failed(self, error: BaseException) -> None:
        """The body raised `error`. Never raises."""
        self._running = False
        self.suspend()
        if self._ended:
            return
        try:
            kind = type(error).__qualname__
            self._span.set_status(Status(StatusCode.ERROR, kind))
            self._span.set_attribute(names.ERROR_TYPE, kind)
            self._close("error", kind)
        except Exception:
            _log.exception("agentcop: the outcome of %s could not be recorded", self.call.tool)

    def refused(self, rule: OwnRule, reason: str, *, outcome: str) -> ToolBlocked:
        """The error to raise where the body cannot run after all. Nothing more is recorded of this call.

        `reason` may quote a box or an engine: it is redacted.
        """
        reason = self._gate.pipeline.redactor.redact_text(reason)
        verdict = own_verdict(rule, reason, seat=answering(self._bench), call=self.call)
        return self._unusable(verdict, outcome=outcome)

    def given_up(self, error: BaseException) -> None:
        """The caller was interrupted before the body ran. Never raises."""
        try:
            self._span.set_status(Status(StatusCode.ERROR, "the caller gave up before the call ran"))
            self._span.set_attribute(names.ERROR_TYPE, type(error).__qualname__)
            self._close("interrupted", type(error).__qualname__)
        except Exception:
            _log.exception("agentcop: the end of %s could not be recorded", self.call.tool)

    def mark_box(self, *, over: bool) -> Mapping[str, object]:
        """Write on the call's span what is known of its box, more once the call is `over`; the same for gate.log."""
        recorded = self.box.recorded(over=over) if self.box is not None else None
        if recorded is None:
            return {}
        self._span.set_attributes(recorded.on_span())
        return recorded.in_log()

    def _changed(self) -> None:
        """The arguments are not those that were judged: a block, or a line in the log that there would be one."""
        reason = "the arguments changed between the verdict and the call"
        verdict = own_verdict("gate.digest", reason, seat=answering(self._bench), call=self.call)
        if verdict.stops:
            raise self._unusable(verdict, outcome="changed")
        self._gate.log_line(decision_line(self.call, verdict, ""))
        alert_of_block(self.call, verdict, gate=self._gate, span=self._span)

    def _unusable(self, verdict: Verdict, *, outcome: str) -> ToolBlocked:
        self._ended = True
        if self.box is not None:
            self.box.close()
        error = ""
        if outcome == "sandbox_refused":
            error = verdict.reason
            self._span.set_attributes(verdict_attributes(verdict, self._decision))
            if not self.approved:
                self._gate.take_back("allowed")
        self._gate.log_line(outcome_line(self.call, outcome, error=error, decision=self._decision, ms=0.0))
        return refuse(self.call, verdict, gate=self._gate, session=self._session, run=self._run, span=self._span)

    def _close(self, outcome: str, error: str) -> None:
        if self._ended:
            return
        if self.box is not None:
            self.box.close()
        ms = round((time.perf_counter() - self._started) * 1_000, 3) if self._started else 0.0
        line = outcome_line(self.call, outcome, error=error, decision=self._decision, ms=ms)
        line |= self.mark_box(over=True)
        self._gate.log_line(line)
        self._gate.end_span(self._span)


class Carried(Passage):
    """The inner part of a call that came through another method of the same object: already judged and logged."""

    __slots__ = ("outer",)
    outer: Passage
    """The call that goes on in this one."""

    @property
    def running(self) -> bool:
        """Whether the call that was judged runs."""
        return self.outer.running

    def enter(self) -> Mapping[str, object]:
        """The arguments, equal to those that were judged."""
        self._make_current()
        return self._values

    def returned(self, result: object) -> None:  # noqa: ARG002 -- the outer part records the result
        """The inner method returned; the outer one goes on."""
        self.suspend()

    def failed(self, error: BaseException) -> None:  # noqa: ARG002 -- the outer part records the error
        """The inner method raised; the outer one decides what becomes of it."""
        self.suspend()


class Transported(Carried):
    """The part of a call that goes over to a server."""

    __slots__ = ()

    def returned(self, result: object) -> None:
        """The server has answered; the outer part goes on."""
        super().returned(result)
        self.outer.crossing.end(arrived=True)

    def failed(self, error: BaseException) -> None:
        """It did not go over, or nobody knows: the outer part may try again."""
        super().failed(error)
        self.outer.crossing.end(arrived=False)
