"""An agent's run from its outermost entry to its end: its span, its session, and the raise of a sticky block."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

from opentelemetry import context as context_api
from opentelemetry.trace import Status, StatusCode

from agentcop_core import attributes as names
from agentcop_core.errors import ToolBlocked
from agentcop_core.session import Observed
from agentcop_processor.call.records import agent_attributes
from agentcop_processor.call.results import text_of
from agentcop_processor.runs import Run, RunScope, current_run
from agentcop_processor.sessions import current_session, in_session, new_session
from agentcop_processor.telemetry.spans import context_with

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context

    from agentcop_processor.gate import Gate

_log = logging.getLogger("agentcop")


class Entry:
    """One call of a wrapped agent's entry point. Belongs to one thread or task; made by `open_entry`.

    entry.enter()                                    the run is current
    entry.returned(result) or entry.failed(error)    once, at the end: either may raise the run's sticky refusal
    entry.suspend() … entry.resume()                 between the steps of a stream
    """

    __slots__ = ("_ended", "_gate", "_run", "_span", "_stack")

    def __init__(self, gate: Gate, conversation: str) -> None:
        """Open a run of this gate's agent: a session, an `invoke_agent` span."""
        self._gate = gate
        named = gate.pipeline.sessions.get(conversation) if conversation else None
        session = current_session() or named or new_session()
        self._run = Run(gate, session)
        attributes = agent_attributes(gate.agent_id, session.id, gate.policy.document.environment)
        self._span = gate.pipeline.spans.start(f"invoke_agent {gate.agent_id}", attributes)
        self._stack: ExitStack | None = None
        self._ended = False
        gate.run_started(self._run)

    def observe(self, observed: Observed) -> None:
        """Hand what was said to the session; nothing is kept where nobody monitors."""
        if self._gate.monitor:
            self._run.session.observe(observed)

    def enter(self) -> None:
        """The run begins here."""
        self.resume()

    def started(self) -> None:
        """It is current already."""

    def resume(self) -> None:
        """Make run, session and span current."""
        stack = ExitStack()
        stack.enter_context(RunScope(self._run))
        stack.enter_context(in_session(self._run.session))
        if self._span.is_recording():
            token = context_api.attach(context_with(self._span))
            stack.callback(self._detach, token)
        self._stack = stack

    def suspend(self) -> None:
        """Give the caller its own context back. Never raises."""
        stack, self._stack = self._stack, None
        if stack is not None:
            stack.close()

    def _detach(self, token: Token[Context]) -> None:
        # An abandoned coroutine is ended from another context, where the run never was current.
        if current_run() is self._run:
            context_api.detach(token)

    def returned(self, result: object) -> None:
        """The agent answered with `result`. Raises the run's sticky ToolBlocked, if it has one."""
        self.suspend()
        if self._gate.monitor and result is not None:
            self.observe(Observed(kind="assistant", text=text_of(result)))
        blocked = self._run.blocked
        self._end(blocked)
        if blocked is not None:
            raise blocked

    def failed(self, error: BaseException) -> None:
        """The agent raised. Raises the run's sticky ToolBlocked in its place, unless it is one or not an Exception."""
        self.suspend()
        blocked = self._run.blocked
        self._end(error)
        if blocked is not None and isinstance(error, Exception) and not isinstance(error, ToolBlocked):
            raise blocked from error

    @property
    def blocked(self) -> ToolBlocked | None:
        """The run's sticky refusal; None if it may end normally."""
        return self._run.blocked

    def over(self, output: object, error: BaseException | None) -> None:
        """The run went on after its entry had returned, and has ended now. Idempotent, raises nothing.

        Who iterates the run is told of a sticky refusal: see `blocked`.
        """
        if self._ended:
            return
        if self._gate.monitor and output is not None:
            self.observe(Observed(kind="assistant", text=text_of(output)))
        self._end(error or self._run.blocked)

    def _end(self, error: BaseException | None) -> None:
        self._ended = True
        self._gate.run_ended(self._run)
        try:
            if error is not None:
                kind = type(error).__qualname__
                self._span.set_status(Status(StatusCode.ERROR, kind))
                self._span.set_attribute(names.ERROR_TYPE, kind)
            self._gate.end_span(self._span)
        except Exception:
            _log.exception("agentcop: the end of a run of %s could not be recorded", self._gate.agent_id)


def open_entry(gate: Gate, conversation: str = "") -> Entry | None:
    """A new run, or None inside a run of the same gate: a nested entry joins the outer run.

    `conversation`: the framework's id of it, if it has one; what `cop.session` says comes first.
    """
    run = current_run()
    if run is not None and run.gate is gate:
        return None
    return Entry(gate, conversation)
