"""What cannot be frozen, and why: one sentence that holds no argument values."""

from __future__ import annotations

from typing import Final

from agentcop_core.canonical.state import ancestry, derives
from agentcop_core.errors import AgentCopError

MAX_DEPTH: Final = 100
"""Containers within containers; the JSON writer gives up at 254, and tags take levels too."""

_MAX_SHOWN: Final = 60


class ArgumentRefused(AgentCopError):  # noqa: N818 -- refusals are named for what happened, as ToolBlocked is
    """Arguments that cannot be frozen. The message is one sentence naming the argument and the limit it broke.

    It holds no argument values.
    """


def refusal(argument: str | None, problem: str) -> ArgumentRefused:
    """`argument 'body' <problem>`; `the arguments <problem>` when no single one is to blame."""
    subject = "the arguments" if argument is None else f"argument {argument[:_MAX_SHOWN]!a}"
    return ArgumentRefused(f"{subject} {problem}")


def exact_name(name: str) -> str:
    """An argument's name as an exact string."""
    if type(name) is str:
        return name
    if not derives(ancestry(type(name)), str):
        raise refusal(None, "have a name that is not a string")
    return str.__str__(name)
