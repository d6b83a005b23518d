"""One question to a model: its span `chat`, what it cost, and no question at all once the run is blocked."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opentelemetry import context as context_api
from opentelemetry.trace import Status, StatusCode

from agentcop_core import attributes as names
from agentcop_core.session import Observed
from agentcop_processor.runs import current_run
from agentcop_processor.telemetry.spans import context_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextvars import Token

    from opentelemetry.context import Context

    from agentcop_processor.runs import Run

_log = logging.getLogger("agentcop")

_asked: ContextVar[object] = ContextVar("agentcop_asked", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Which model is asked; "" where the framework does not say."""

    name: str = ""
    provider: str = ""
    """As `gen_ai.provider.name` has it: `openai`, `anthropic`, …"""


@dataclass(slots=True, kw_only=True)
class Answer:
    """What a model answered, or a piece of it; `add` puts the pieces of a stream together."""

    text: str = ""
    model: str = ""
    finish_reasons: list[str] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0

    def add(self, piece: Answer) -> None:
        """Take in what comes next; tokens are summed, as the frameworks' own usage pieces are."""
        self.text += piece.text
        self.model = piece.model or self.model
        self.finish_reasons += [reason for reason in piece.finish_reasons if reason not in self.finish_reasons]
        self.input_tokens += piece.input_tokens
        self.output_tokens += piece.output_tokens


class Asking:
    """One call of a model, from its start to its end. Belongs to one thread or task; nothing here raises.

    `saw` is called with each item of a stream; a call that is no stream has one result.
    """

    __slots__ = ("_answer", "_asked_token", "_context_token", "_model", "_owner", "_read", "_run", "_span")

    def __init__(self, run: Run, owner: object, model: Model, read: Callable[[object], Answer]) -> None:
        """`owner`: the model object; `read`: from a result or an item of a stream to what it says."""
        self._run = run
        self._owner = owner
        self._model = model
        self._read = read
        self._answer = Answer()
        self._context_token: Token[Context] | None = None
        self._asked_token: Token[object] | None = None
        attributes = {
            names.OPERATION: names.CHAT,
            names.COP_AGENT_ID: run.gate.agent_id,
            names.COP_SESSION_ID: run.session.id,
            names.CONVERSATION_ID: run.session.id,
        }
        if model.name:
            attributes[names.REQUEST_MODEL] = model.name
        if model.provider:
            attributes[names.PROVIDER_NAME] = model.provider
        self._span = run.gate.pipeline.spans.start(f"{names.CHAT} {model.name}".strip(), attributes)
        self.resume()

    def started(self) -> None:
        """The span is current already."""

    def resume(self) -> None:
        """Make the span current, at the start and before each step of a stream."""
        self._asked_token = _asked.set(self._owner)
        if self._span.is_recording():
            self._context_token = context_api.attach(context_with(self._span))

    def suspend(self) -> None:
        """Give the caller its own context back."""
        if self._context_token is not None:
            context_api.detach(self._context_token)
            self._context_token = None
        if self._asked_token is not None:
            _asked.reset(self._asked_token)
            self._asked_token = None

    def saw(self, item: object) -> None:
        """An item of the stream."""
        try:
            self._answer.add(self._read(item))
        except Exception:
            _log.exception("agentcop: what a model streamed could not be read")

    def returned(self, result: object) -> None:
        """The model answered; `result` is None at the end of a stream."""
        self.suspend()
        if result is not None:
            self.saw(result)
        self._end(None)

    def failed(self, error: BaseException) -> None:
        """The call raised."""
        self.suspend()
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        try:
            answer, gate = self._answer, self._run.gate
            for name, value in (
                (names.RESPONSE_MODEL, answer.model),
                (names.FINISH_REASONS, answer.finish_reasons),
                (names.INPUT_TOKENS, answer.input_tokens),
                (names.OUTPUT_TOKENS, answer.output_tokens),
            ):
                if value:
                    self._span.set_attribute(name, value)
            if error is not None:
                kind = type(error).__qualname__
                self._span.set_status(Status(StatusCode.ERROR, kind))
                self._span.set_attribute(names.ERROR_TYPE, kind)
            if gate.monitor and answer.text:
                self._run.session.observe(Observed(kind="assistant", text=answer.text))
            gate.end_span(self._span)
        except Exception:
            _log.exception("agentcop: the end of a model call could not be recorded")


def ask(owner: object, model: Callable[[], Model] | None, read: Callable[[object], Answer]) -> Asking | None:
    """A model is about to be asked. Raises the run's sticky ToolBlocked if it was blocked; else nothing.

    None where no run is current, where the same object is being asked already (one method of it calls another), or
    where `model` is None: a way of asking that has no span.
    """
    run = current_run()
    if run is None:
        return None
    if (blocked := run.halt()) is not None:
        raise blocked
    if model is None or _asked.get() is owner:
        return None
    try:
        return Asking(run, owner, model(), read)
    except Exception:
        _log.exception("agentcop: the start of a model call could not be recorded")
        return None


def observe_once(observed: Iterable[Observed]) -> None:
    """Remember what a run's model is told, each text once: every question repeats the conversation."""
    run = current_run()
    if run is None or not run.gate.monitor:
        return
    known = run.session.observed()
    for each in observed:
        if each not in known:
            run.session.observe(each)
