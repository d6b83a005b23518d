"""Where container engines listen on this machine, and which of its files lead there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BENEATH: Final = (
    "/run/containerd/containerd.sock",
    "/run/docker/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/buildkit/buildkitd.sock",
)
"""What engines stand on: who may speak to these is root as well."""


def places(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Sockets to try, each once, in a steady order: a path and ""; or what is named and why it cannot be tried."""
    seen: set[str] = set()
    for name in ("DOCKER_HOST", "CONTAINER_HOST"):
        address = environ.get(name, "")
        if not address:
            continue
        path = address.removeprefix("unix://")
        if path == address or not path.startswith("/"):
            yield f"{name}={address.partition('://')[0]}://…", "only a Unix socket of this machine can be used"
        elif (real := os.path.realpath(path)) not in seen:
            seen.add(real)
            yield path, ""
    run = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    for path in ("/var/run/docker.sock", f"{run}/docker.sock", f"{run}/podman/podman.sock", "/run/podman/podman.sock"):
        if (real := os.path.realpath(path)) not in seen:
            seen.add(real)
            yield path, ""


def socket_behind(source: str, environ: Mapping[str, str], *more: str) -> str:
    """The engine's socket that a box would reach through this file or folder of the host; "" where there is none."""
    real = Path(source).resolve()
    known = (path for path, problem in places(environ) if not problem)
    for path in (*more, *known, *_BENEATH):
        socket = Path(path).resolve()
        if (real == socket or real in socket.parents) and socket.exists():
            return path
    return ""
