"""What an agent is made to do in one trial, and what its tools' bodies say they did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run of a tool's body."""

    tool: str
    arguments: Mapping[str, Any]


class Bodies:
    """Where bodies say that they ran. Thread-safe."""

    def __init__(self) -> None:
        """Nothing ran yet."""
        self.ran: list[Ran] = []

    def note(self, tool: str, /, **arguments: Any) -> str:
        """Called by a body, first of all; gives it something to return."""
        self.ran.append(Ran(tool=tool, arguments=arguments))
        return f"{tool} did it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One tool call that the agent's model asks for."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    positional: bool = False
    """Its arguments are passed by position, where a harness can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool of the agent; its shape (plain, coroutine, generator) is its body's."""

    name: str
    body: Callable[..., Any]
    validate: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """What the framework's own validation makes of the arguments, before the body gets them."""


@dataclass(slots=True, kw_only=True)
class Job:
    """What a way of a harness carries out: build the agent, hand it to `govern`, make it ask for `turns`."""

    tools: Sequence[Tool]
    turns: Sequence[Sequence[Call]]
    """What the model asks for: the calls of each turn."""
    govern: Callable[[Any, Iterable[Any]], Any]
    """From the agent, or whatever is wrapped, and its tool objects to the same agent, behind a gate if there is one."""
    swallow: str = ""
    """One of the harness's `swallowers`: what stands around the agent and goes on after a refusal."""
    rewrite: Callable[[Any], None] | None = None
    """Called with a tool's raw arguments by a callback of the framework, before the tool parses them."""
    edited: Call | None = None
    """What a person makes of the call, in the framework's own dialogue."""
    give_up: threading.Event | None = None
    """When it is set the caller cancels what it waits for; None: it waits to the end."""
    ask: Callable[[str, Mapping[str, Any]], object] = field(default=lambda tool, arguments: None)
    """Set by the harness: call this tool directly, as a body does that asks another tool."""

    @property
    def calls(self) -> list[Call]:
        """Every call, in order."""
        return [call for turn in self.turns for call in turn]

    @property
    def at_once(self) -> list[Call]:
        """The calls as one turn, of two at least: only the first being looked at is a hole of its own."""
        return self.calls if len(self.calls) > 1 else self.calls * 2
