"""Which container engines answer here, and why the others do not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.engine import EngineDown
from agentcop_processor.sandbox.engines.container import ContainerEngine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentcop_processor.sandbox.engine import EngineName

_INSTALL: Final = (
    "install and start one (apt-get install docker.io, or podman and `systemctl --user start podman.socket`), or use "
    "bubblewrap with `mode: process` (apt-get install bubblewrap)"
)


def found(environ: Mapping[str, str]) -> tuple[ContainerEngine, ...]:
    """Every engine that answers, in the order in which they are looked for; asks each, for up to ten seconds.

    `DOCKER_HOST` and `CONTAINER_HOST` come first. Raises EngineDown with what was tried and what to do.
    """
    engines: list[ContainerEngine] = []
    reasons: list[str] = []
    for where, problem in _places(environ):
        if problem:
            reasons.append(f"{where}: {problem}")
            continue
        if not Path(where).exists():
            reasons.append(f"{where}: not there")
            continue
        try:
            engines.append(ContainerEngine(_named(where), where))
        except EngineDown:
            raise
        except Exception as error:
            reasons.append(f"{where}: {_why(error)}")
    if not engines:
        raise EngineDown(f"no container engine answers ({'; '.join(reasons)}): {_INSTALL}")
    return tuple(engines)


def _places(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Sockets to try, each once, or an address with the reason why it is not one."""
    seen: set[str] = set()
    for name in ("DOCKER_HOST", "CONTAINER_HOST"):
        address = environ.get(name, "")
        if not address:
            continue
        if address.startswith("unix://"):
            seen.add(address.removeprefix("unix://"))
            yield address.removeprefix("unix://"), ""
        else:
            yield f"{name}={address.partition('://')[0]}://…", "only a Unix socket of this machine can be used"
    run = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    for path in ("/var/run/docker.sock", f"{run}/docker.sock", f"{run}/podman/podman.sock", "/run/podman/podman.sock"):
        if path not in seen:
            yield path, ""


def _named(path: str) -> EngineName:
    version = ContainerEngine("docker", path).client().version()
    parts = " ".join(str(part.get("Name", "")) for part in version.get("Components") or ())
    return "podman" if "podman" in parts.lower() else "docker"


def _why(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "Permission denied" in text:
        return "permission denied: this user may not speak to it"
    if "refused" in text:
        return "nobody listens"
    return f"{type(error).__name__}: {text[:120]}"
