"""What a box without a cgroup behind it cannot hold, in words: for whoever chooses between the modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentcop_processor.sandbox.settings import Settings

_MIB: Final = 1_048_576


def weaker(settings: Settings, facts: Mapping[str, object]) -> Iterator[str]:
    """Where `mode: process` holds less than a container on this machine, a phrase each. `facts`: the box's own."""
    memory = f"{settings.memory / _MIB:g} MiB"
    yield f"memory: no cgroup; {memory} a process, and all of them together are looked at every 50 ms or so"
    yield f"processes: {settings.pids}, as a limit for the box's user; no cgroup counts them"
    yield f"cpus: not limited; the policy's {settings.cpus:g} is for containers"
    landlock = facts.get("landlock")
    if isinstance(landlock, int) and landlock > 0:
        yield f"programs: what a tool writes it cannot run (landlock {landlock})"
    else:
        yield "programs: a tool can run what it wrote to its /tmp, in its box: this kernel has no landlock"
    yield "files: /usr and this Python's own folders can be read"
