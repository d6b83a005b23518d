"""The shape of what a gate may demand beyond its three lists: flows, limits, taint, results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from agentcop_policies.document.shapes import Closed, Pattern, Positive, Seconds, Short, Size, Text, Whole

Held = Literal["require_approval", "block"]
"""What a flow, a taint or an anomaly may answer: hold the call for a person, or refuse it."""

Per = Literal["run", "session", "hour", "day"]
"""What a limit counts over: one agent run, one conversation, or a sliding hour or day over all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow(Closed):
    """An order of calls within a session that is held or refused."""

    after: Pattern
    """The tool whose call starts the flow."""
    then: Pattern
    """The tool that is held or refused afterwards."""
    within: Annotated[float, Seconds()] | None = None
    """How long the first call counts; left out: for the rest of the session."""
    verdict: Held = "block"
    """What the second call gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Closed):
    """A budget. Exactly one of `max_calls`, `sum` with `max`, and `tokens`."""

    tool: Pattern = "*"
    """The tools that draw on the budget."""
    max_calls: Annotated[int, Whole(least=1)] | None = None
    """How many calls."""
    sum: Annotated[str, Text()] | None = None
    """The numeric argument that is added up, as `args.amount`."""
    max: Annotated[float, Positive()] | None = None
    """What the sum may reach."""
    tokens: Annotated[int, Whole(least=1)] | None = None
    """How many model tokens."""
    per: Per
    """What the budget is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink(Closed):
    """A tool that untrusted text must not reach; written as its tool alone if all its arguments count."""

    tool: Pattern
    """The tool."""
    args: tuple[Annotated[str, Text()], ...] = ()
    """The arguments that count; none written: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint(Closed):
    """Untrusted tool output must not steer these tools."""

    mode: Literal["value", "context"] = "value"
    """`value`: arguments that came only from untrusted output; `context`: any call once untrusted text was read."""
    sources: tuple[Pattern, ...]
    """The tools whose output is untrusted."""
    sinks: tuple[Annotated[Sink, Short(key="tool")], ...]
    """The tools that it must not steer."""
    verdict: Held = "require_approval"
    """What such a call gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results(Closed):
    """What happens to a tool's result before the model sees it."""

    redact: tuple[Literal["secrets"], ...] = ()
    """What is taken out."""
    max: Annotated[int, Size()] | None = None
    """How long a result may be."""
