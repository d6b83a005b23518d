"""What an adapter is: data that says where a framework's calls pass. The core does the rest.

Judging, re-entrancy, spans, logging, the raise of a sticky block and idempotent patching belong to the core; an
adapter never sees a policy or a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agentcop_core.errors import ToolBlocked
    from agentcop_core.session import Observed


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedCall:
    """One tool call as the tool's body will really receive it: after the framework's own parsing and defaults."""

    arguments: Mapping[str, object]
    run: Callable[[Mapping[str, object]], tuple[tuple[Any, ...], dict[str, Any]]]
    """From the frozen arguments to the positional and keyword arguments of the patched method."""
    call_id: str = ""
    """The framework's id of this call; "" if it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolTarget:
    """One method through which a tool's calls pass."""

    owner: type
    attribute: str
    parse: Callable[[object, tuple[Any, ...], dict[str, Any]], ParsedCall]
    """From the tool and the caller's arguments (without `self`) to the parsed call. TypeError: they do not fit."""
    refuse: Callable[[ParsedCall, ToolBlocked], object] | None = None
    """The framework's own refusal, returned to its model as the result; None: the error is raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryTarget:
    """One method by which an agent is run: a run, a span `invoke_agent`, the raise of a sticky block."""

    owner: type
    attribute: str
    observe: Callable[[tuple[Any, ...], dict[str, Any]], Iterable[Observed]]
    """What the caller's arguments (without `self`) say to the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTarget:
    """One method that asks the model: raises once the run is blocked."""

    owner: type
    attribute: str
    observe: Callable[[object], Iterable[Observed]]
    """What the model answered."""


class Adapter(Protocol):
    """One framework. The same skeleton for each, in a file of its own."""

    name: str
    """As printed by `agentcop doctor`."""
    module: str
    """The import that brings the framework in; the adapter is loaded after it, never before. "" for plain Python."""
    supported: str
    """Versions as a PEP 440 specifier."""

    def recognises(self, obj: object) -> bool:
        """Whether `cop.wrap(obj)` is this adapter's business."""

    def targets(self, tool: object) -> Iterable[ToolTarget]:
        """Where the calls of `tool` pass."""

    def entry_targets(self, agent: object) -> Iterable[EntryTarget]:
        """How `agent` is run."""

    def model_targets(self) -> Iterable[ModelTarget]:
        """Where the framework asks its model; nothing for plain Python."""
