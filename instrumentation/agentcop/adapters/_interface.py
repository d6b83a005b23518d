"""What an adapter is: data that says where a framework's calls pass. The core does the rest.

Judging, re-entrancy, spans, logging, the raise of a sticky block and idempotent patching belong to the core; an
adapter never sees a policy or a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from agentcop._seams.registry import Role
    from agentcop_core.errors import ToolBlocked
    from agentcop_core.session import Observed
    from agentcop_processor.model_call import Answer, Model
    from agentcop_processor.sandbox.parcel import Parcel


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedCall:
    """One tool call as the tool's body will really receive it: after the framework's own parsing and defaults."""

    arguments: Mapping[str, object]
    run: Callable[[Mapping[str, object]], tuple[tuple[Any, ...], dict[str, Any]]]
    """From the frozen arguments to the positional and keyword arguments of the patched method."""
    call_id: str = ""
    """The framework's id of this call; "" if it has none."""
    tool: str = ""
    """What the call itself says which tool it is for, where one object leads to many; "": the object's own name."""
    unfit: str = ""
    """Why the call may not run whatever a policy says, in one sentence; "": it may."""
    again: bool = False
    """Whether it goes on with a request that a server has left open, rather than making one."""
    boxed: Callable[[Mapping[str, object]], tuple[tuple[Any, ...], dict[str, Any]]] | None = None
    """From the frozen arguments to those of what `ToolTarget.ship` ships; None: all of them by name."""
    invalid: Exception | None = None
    """The framework's own error about these arguments: no verdict; the call goes on, for the framework to raise it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """That a tool keeps its body in an attribute of its own, and how the framework calls it."""

    method: str = ""
    """The method that is called of what the attribute holds; "" where that is called itself."""
    is_awaited: bool = False
    """Whether the framework awaits whatever the call gives, rather than what can be awaited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolTarget:
    """One method, or one attribute of each tool, through which a tool's calls pass."""

    owner: type
    attribute: str
    parse: Callable[[Any, tuple[Any, ...], dict[str, Any]], ParsedCall | None]
    """From the tool and the caller's arguments (without `self`) to the parsed call; None: not a tool call.

    TypeError: the arguments do not fit.
    """
    base: type | None = None
    """The framework's own class, where `owner` is a subclass that overrides the method. Set when it is installed."""
    overridden: Callable[[Any, tuple[Any, ...], dict[str, Any]], ParsedCall | None] | None = None
    """`parse` for such a subclass, if it is not the framework's own; None: the same."""
    refuse: Callable[[Any, ParsedCall, ToolBlocked], object] | None = None
    """From the tool and its call to the framework's own refusal, which its model reads; None: the error is raised."""
    name: Callable[[Any], str] | None = None
    """From the tool to its name in policies, for calls of tools that nobody registered; None: those are not judged."""
    said: Callable[[object], object] | None = None
    """From a result to the part of it that the model reads."""
    body: Body | None = None
    """Set where `attribute` is no method of the class: each tool holds its own body there."""
    tool: Callable[[tuple[Any, ...], dict[str, Any]], object] | None = None
    """From the caller's arguments to the tool, where the method is not the tool's own; `parse` is given that."""
    transport: bool = False
    """Whether calls pass here on their way to a server: one that a tool above has had judged is not judged again."""
    remote: Callable[[Any], str] | None = None
    """From the tool to its name at its server, which it declares and whose calls it only passes on; "": to none."""
    ship: Callable[[Any], Parcel] | None = None
    """From the tool to how a box makes what this method runs; raises NotShippable. None: nothing here is boxed."""
    stand_in: Callable[[Any, Callable[[], object], Callable[[], Awaitable[object]]], object] | None = None
    """From the tool, and two ways to run this very call's body in the box, to what the method is called on instead.

    Where the tool holds its body, to the body that is called instead. All that the framework does around the body
    happens as it does for the tool; the body is the box's.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryTarget:
    """One method by which an agent is run: a run, a span `invoke_agent`, the raise of a sticky block."""

    owner: type
    attribute: str
    observe: Callable[[tuple[Any, ...], dict[str, Any]], Iterable[Observed]]
    """What the caller's arguments (without `self`) say to the agent."""
    agent: Callable[[Any, tuple[Any, ...], dict[str, Any]], object] | None = None
    """From the object whose method this is, and the caller's arguments, to the agent that was wrapped.

    None: it is the agent.
    """
    conversation: Callable[[tuple[Any, ...], dict[str, Any]], str] | None = None
    """From the caller's arguments (without `self`) to the id of the conversation that the run continues; "" if none."""

    output: Callable[[Any], object] | None = None
    """From what the method returns, or has returned, to the agent's answer once the run is over; None: it is that."""
    goes_on: GoesOn | None = None
    """Set where the run goes on in a task of its own after the method has returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoesOn:
    """How a run ends whose entry returns while it has just begun."""

    task: Callable[[Any], Future[Any] | None]
    """From what the entry returned to the task that is the run; None: it is over."""
    result: type
    """What the entry returns."""
    stream: str
    """The method of `result` that its caller iterates to the end: a sticky block is raised there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A tool that a model is about to be offered and that runs at the provider: no call of it passes in this process.

    It is judged as it is offered, by name and configuration; a refusal is always raised, before the model is asked.
    """

    name: str
    """In policies."""
    configuration: Mapping[str, object]
    """What the application has set; stands where a call's arguments would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTarget:
    """One method that asks the model: raises once the run is blocked, else a span `chat`."""

    owner: type
    attribute: str
    read: Callable[[object], Answer]
    """From what the method returns, or from one item of its stream, to what the model answered."""
    model: Callable[[Any], Model] | None = None
    """From the object to which model it asks; None: this method has no span."""
    told: Callable[[tuple[Any, ...], dict[str, Any]], Iterable[Observed]] | None = None
    """What the caller's arguments (without `self`) tell the model that nobody else has seen: the system prompt."""
    offers: Callable[[tuple[Any, ...], dict[str, Any]], Iterable[Offer]] | None = None
    """What the caller's arguments (without `self`) offer the model beside the tools that run here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyTarget:
    """One method that makes a copy of an object: the copy is governed by whoever governs the original."""

    owner: type
    attribute: str
    copy: Callable[[Any], object] | None = None
    """From what the method returns to the copy; None: it is the copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeTarget:
    """One method that ends a group of tasks: a refusal that was raised inside comes out as itself, not as a group."""

    owner: type
    attribute: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverTarget:
    """One method inside the framework whose result is replaced by what was judged."""

    owner: type
    attribute: str
    take: Callable[[Any], object]
    """From the object to the result, or None: the method runs as it is. May raise in place of a result."""


CANARY = "agentcop_doctor_canary"
"""The tool that `agentcop doctor` calls: no program may have one of this name, and doctor's policy blocks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """One call of the tool `CANARY` through one seam of a framework."""

    way: str
    """The seam, as `agentcop doctor` prints it: `BaseTool.run`."""
    call: Callable[[], object]
    """Makes the tool and calls it, without arguments, once and to its end; may raise, as the framework does."""


class Adapter(Protocol):
    """One framework. The same skeleton for each, in a file of its own."""

    name: str
    """As printed by `agentcop doctor`."""
    module: str
    """The import that brings the framework in; the adapter is loaded after it, never before. "" for plain Python."""
    supported: str
    """Versions as a PEP 440 specifier."""

    def recognises(self, obj: object) -> Role | None:
        """What `obj` is, if `cop.wrap(obj)` is this adapter's business."""

    def targets(self, tool: object) -> Iterable[ToolTarget]:
        """Where the calls of `tool` pass; with None, those of every tool of the framework."""

    def entry_targets(self, agent: object) -> Iterable[EntryTarget]:
        """How `agent` is run; with None, how any agent of the framework is."""

    def model_targets(self) -> Iterable[ModelTarget]:
        """Where the framework asks its model; nothing for plain Python."""

    def canaries(self, body: Callable[[], str], guard: Callable[[Any], Any]) -> Iterable[Canary]:
        """A call through each seam by which a tool of this framework is reached; the tool does nothing but `body()`.

        Called when the framework has been imported. `guard` puts a tool behind the process's cop as `CANARY`, for what
        is not governed by its class.
        """


class FrameworkAdapter(Adapter, Protocol):
    """An adapter whose targets are the framework's own classes, put in place once for all objects."""

    needs: tuple[str, ...]
    """Modules that must be patched whichever of the framework's objects is wrapped; imported then, never before."""

    def inside(self, obj: object) -> object:
        """The object that the framework's own wrappers (bindings, configurations) hold; else `obj` itself."""

    def parts(self, obj: object) -> Iterable[object]:
        """What an object holds at this moment that calls pass through as well: governed like the object."""

    def copies(self) -> Iterable[CopyTarget]:
        """How the framework copies agents and tools."""

    def scopes(self) -> Iterable[ScopeTarget]:
        """Where the framework would wrap a refusal in an ExceptionGroup."""

    def handovers(self) -> Iterable[HandoverTarget]:
        """Where a judged call's arguments are handed to its body; nothing if `ParsedCall.run` is enough."""

    def selftest(self) -> None:
        """Raises NotArmed, with what is missing, unless every seam that this process needs is where it should be."""
