"""Which container engines answer here, and why the others do not."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.containers.container import ContainerEngine, why
from agentcop_processor.sandbox.containers.sockets import places
from agentcop_processor.sandbox.engine import EngineDown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_processor.sandbox.engine import EngineName

_log = logging.getLogger("agentcop")
_WHOSE: Final = "" if os.geteuid() == 0 else "--user "
_WAYS: Final = (
    "apt-get install docker.io",
    f"apt-get install podman, and systemctl {_WHOSE}start podman.socket",
    "`mode: process` in the policy, and apt-get install bubblewrap",
)


def found(environ: Mapping[str, str]) -> tuple[ContainerEngine, ...]:
    """Every engine that answers, in the order in which they are looked for; asks each, for up to ten seconds.

    `DOCKER_HOST` and `CONTAINER_HOST` come first; where one of them is no use and another engine stands in, that is
    logged. Raises EngineDown with what was tried and what to do.
    """
    engines: list[ContainerEngine] = []
    reasons: list[str] = []
    named = {environ.get(name, "").removeprefix("unix://") for name in ("DOCKER_HOST", "CONTAINER_HOST")}
    unused: list[str] = []
    for where, problem in places(environ):
        reason = problem or _not_there(where)
        if not reason:
            try:
                engines.append(ContainerEngine(_named(where), where))
            except EngineDown:
                raise
            except Exception as error:
                reason = why(error)
        if reason:
            reasons.append(f"{where}: {reason}")
            if problem or where in named:
                unused.append(reasons[-1])
    if not engines:
        raise EngineDown("no container engine answers", ways=_WAYS, tried=tuple(reasons))
    if unused:
        used = f"{engines[0].name} at {engines[0].socket}"
        _log.warning("agentcop: %s is used, as another was named that cannot be: %s", used, "; ".join(unused))
    return tuple(engines)


def _not_there(path: str) -> str:
    """Why nobody can listen there; "" where somebody may."""
    try:
        Path(path).stat()
    except FileNotFoundError:
        return "not there"
    except OSError as error:  # as of another user's folder, which a shell of sudo or su names
        return error.strerror or type(error).__name__
    return ""


def _named(path: str) -> EngineName:
    """Which of the two it is, as it says itself."""
    client = ContainerEngine("docker", path).client()
    try:
        version = client.version()
    finally:
        client.close()
    parts = " ".join(str(part.get("Name", "")) for part in version.get("Components") or ())
    return "podman" if "podman" in parts.lower() else "docker"
