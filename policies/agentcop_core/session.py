"""What a conversation did so far: the state that rules and signals read."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from agentcop_core.locks import safe_lock

ObservedKind = Literal["user", "system", "assistant", "tool_result"]
"""Who spoke: the user, the system prompt, the model, or a tool through its result."""

_MAX_OBSERVED = 64
_MAX_TEXT = 16_384
_MAX_TOOLS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One thing a session saw. In process only; whatever content capture says, it never leaves by itself."""

    kind: ObservedKind
    text: str
    tool: str = ""
    """The tool whose result this is; "" for the other kinds."""


class Session:
    """Counters and bounded memory of one conversation. Thread-safe; no method blocks on I/O or raises.

    Key: the conversation id, else the outermost agent run; `cop.session(id=, user=)` sets it.
    """

    __slots__ = ("_calls", "_calls_by_tool", "_cut", "_held", "_lock", "_observed", "_refused", "id", "user")

    def __init__(self, session_id: str, user: str = "") -> None:
        """`user` is the principal that rules see; "" when nobody said."""
        self.id = session_id
        self.user = user
        self._lock = safe_lock()
        self._calls = 0
        self._refused = 0
        self._held = 0
        self._cut = 0
        self._calls_by_tool: dict[str, int] = {}
        self._observed: deque[Observed] = deque(maxlen=_MAX_OBSERVED)

    def count_call(self, tool: str) -> None:
        """A tool's body is about to run."""
        with self._lock:
            self._calls += 1
            if tool in self._calls_by_tool or len(self._calls_by_tool) < _MAX_TOOLS:
                self._calls_by_tool[tool] = self._calls_by_tool.get(tool, 0) + 1

    def count_refusal(self) -> None:
        """A call was refused, by a rule or by a person."""
        with self._lock:
            self._refused += 1

    def count_held(self) -> None:
        """A call was held for a person's approval."""
        with self._lock:
            self._held += 1

    def counters(self) -> dict[str, object]:
        """What `session` is in a `when:` condition: `calls`, `refused`, `held` (ints) and `calls_by_tool` (a map)."""
        with self._lock:
            return {
                "calls": self._calls,
                "refused": self._refused,
                "held": self._held,
                "calls_by_tool": dict(self._calls_by_tool),
            }

    def observe(self, observed: Observed) -> None:
        """Remember it, bounded: the last 64, each cut to 16 KiB; what was cut is counted in `cut`."""
        with self._lock:
            if len(observed.text) > _MAX_TEXT:
                observed = Observed(kind=observed.kind, text=observed.text[:_MAX_TEXT], tool=observed.tool)
                self._cut += 1
            if len(self._observed) == _MAX_OBSERVED:
                self._cut += 1
            self._observed.append(observed)

    def observed(self) -> tuple[Observed, ...]:
        """What was seen, oldest first."""
        with self._lock:
            return tuple(self._observed)

    @property
    def cut(self) -> int:
        """How many observations were shortened or pushed out."""
        with self._lock:
            return self._cut
