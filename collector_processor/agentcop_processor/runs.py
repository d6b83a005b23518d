"""One agent run in flight: who governs it, and whether it was blocked."""

from __future__ import annotations

import os
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from agentcop_core.locks import safe_lock

if TYPE_CHECKING:
    from agentcop_core.errors import ToolBlocked
    from agentcop_core.session import Session
    from agentcop_processor.gate import Gate

_current: ContextVar[Run | None] = ContextVar("agentcop_run", default=None)


class Run:
    """One invocation of a wrapped agent, from its outermost entry to its end. Thread-safe.

    A refusal under `on_block: raise*` sticks: the next model call raises (`halt`), every tool call after that is
    refused, and the outermost entry raises, even if an inner layer swallowed the refusal.
    """

    __slots__ = ("_blocked", "_halted", "_lock", "_refusals", "gate", "id", "offered", "session")

    def __init__(self, gate: Gate, session: Session) -> None:
        """`gate`: whose agent runs; `session`: the conversation it belongs to."""
        self.id = os.urandom(8).hex()
        self.gate = gate
        self.session = session
        self._lock = safe_lock()
        self._blocked: ToolBlocked | None = None
        self._halted = False
        self._refusals = 0
        self.offered: dict[str, str] = {}
        """What its model was offered that runs at the provider, by digest: which rule of which policy allowed it."""

    def refused(self, error: ToolBlocked, *, sticky: bool) -> None:
        """A call of this run was refused; the first sticky refusal is the one the entry raises."""
        with self._lock:
            self._refusals += 1
            if sticky and self._blocked is None:
                self._blocked = error
            if self._refusals >= self.gate.policy.document.gate.max_refusals:
                self._halted = True
                if self._blocked is None:
                    self._blocked = error

    def halt(self) -> ToolBlocked | None:
        """Called before each model call: the refusal to raise if the run was blocked; from then on nothing runs."""
        with self._lock:
            if self._blocked is not None:
                self._halted = True
            return self._blocked

    @property
    def halted(self) -> bool:
        """Whether every further tool call of this run is refused."""
        return self._halted

    @property
    def blocked(self) -> ToolBlocked | None:
        """The refusal that the outermost entry raises; None if the run may end normally."""
        return self._blocked


def current_run() -> Run | None:
    """The innermost run of the current context."""
    return _current.get()


class RunScope:
    """Makes a run current for a piece of work; entered and left around every step of a stream."""

    __slots__ = ("_run", "_token")

    def __init__(self, run: Run) -> None:
        """`run`: the one to make current."""
        self._run = run

    def __enter__(self) -> Run:
        """Make it current in this context."""
        self._token = _current.set(self._run)
        return self._run

    def __exit__(self, *exc: object) -> None:
        """Restore what was current before; in another context, where it never was, nothing is to be restored."""
        with suppress(ValueError):
            _current.reset(self._token)
