"""Whether this shell's variables arm what is started from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop._boot import ENABLED, means
from agentcop.cli.doctor.checks.found import failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop.cli.doctor.checks.found import Context, Found


def check(context: Context) -> Iterator[Found]:
    """`AGENTCOP_ENABLED`: a program without a cop of its own is governed only where it is on."""
    value = context.environ.get(ENABLED, "")
    meaning = means(value)
    if meaning is None:
        yield failed("environment", f"{ENABLED} is {value!r}, so every program ends with 78: write 1, or 0 for off")
    elif meaning:
        yield ok("environment", f"{ENABLED} is on: programs that are started from here are armed")
    else:
        yield warning("environment", f"{ENABLED} is off here: only programs with an AgentCop of their own are governed")
