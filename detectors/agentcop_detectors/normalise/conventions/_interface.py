"""What a convention is: the names that one library, or one standard, has for what a step holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentcop_detectors.normalise.raw import RawSpan
    from agentcop_detectors.step import StepKind

Words = dict[str, Any]
"""What was read of a span: fields of Step, and the hints below. Texts are str; counts are int and not negative."""

Amend = Callable[["RawSpan", Words], None]
"""Corrects the words of a span in place. Never raises, whatever they hold."""

HINTS = (
    "operation",  # what the span does: a key of `operations`
    "span_kind",  # what the span is: a key of `span_kinds`, in small letters
    "tool",
    "agent",  # the agent's id, as our own gate gives it: stable over runs
    "agent_name",
    "agent_instance",  # an id that many libraries draw anew for each run: the last resort
    "entity",  # a name of whatever the span is about
    "mcp_method",
    "prompt",  # what an agent or a model was asked: `words`, unless those are there
    "extra",  # JSON in which a library hides more
)
"""Words that are no field of Step: they decide its kind, its name and whose it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """One file of this folder each. Names are facts about the library that the file's first line names."""

    name: str
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Word to the attributes that hold it: of several in one span the first holds."""
    operations: Mapping[str, StepKind] = field(default_factory=dict)
    span_kinds: Mapping[str, StepKind] = field(default_factory=dict)
    beginnings: tuple[tuple[str, StepKind], ...] = ()
    """Of the span's name, for spans that no attribute tells the kind of; what follows is the step's name."""
    events: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Name of a span event to its attributes, each with its word. Any attribute of the span goes before them."""
    scopes: tuple[str, ...] = ()
    """Beginnings of the instrumentation scopes whose spans `amend` sees."""
    amend: Amend | None = None
