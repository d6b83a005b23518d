"""Which conversation a call belongs to."""

from __future__ import annotations

import os
from collections import OrderedDict
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from agentcop_core.locks import safe_lock
from agentcop_core.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_SESSIONS = 10_000

_current: ContextVar[Session | None] = ContextVar("agentcop_session", default=None)


class SessionStore:
    """The sessions of this process by conversation and user, least recently used out first. Thread-safe."""

    def __init__(self, limit: int = _MAX_SESSIONS) -> None:
        """`limit`: how many are kept; `forgotten` counts those that were pushed out with their counters."""
        self._limit = limit
        self._lock = safe_lock()
        self._sessions: OrderedDict[tuple[str, str], Session] = OrderedDict()
        self.forgotten = 0

    def get(self, session_id: str, user: str = "") -> Session:
        """The session of this conversation and user, made at its first use."""
        key = (session_id, user)
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                session = self._sessions[key] = Session(session_id, user)
                if len(self._sessions) > self._limit:
                    self._sessions.popitem(last=False)
                    self.forgotten += 1
            else:
                self._sessions.move_to_end(key)
            return session


def new_session_id() -> str:
    """128 random bits in hex."""
    return os.urandom(16).hex()


def new_session(user: str = "") -> Session:
    """The session of a conversation without a name: whoever is in it keeps it, because nobody can ask for it again."""
    return Session(new_session_id(), user)


def current_session() -> Session | None:
    """The session of the current context, if one was set."""
    return _current.get()


@contextmanager
def in_session(session: Session) -> Iterator[Session]:
    """Make `session` the current one for the block, in this thread or task and what it starts."""
    token = _current.set(session)
    try:
        yield session
    finally:
        # In another context, from which an abandoned coroutine is ended, it never was current.
        with suppress(ValueError):
            _current.reset(token)
