"""How a container is made so that it holds: everything is taken away but what a Python process needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentcop_processor.sandbox.engine import INSIDE
from agentcop_processor.sandbox.engines.owner import LABEL, owner

if TYPE_CHECKING:
    from agentcop_processor.sandbox.engine import Mount
    from agentcop_processor.sandbox.settings import Settings

USER: Final = "65534:65534"
_COMMAND: Final = ("python3", "-I", "-S", "-B", INSIDE)
_NOFILE: Final = 1_024
_NPROC: Final = 4_096
"""Of all boxes' user together; `pids` is what limits one box."""
_BILLION: Final = 1_000_000_000


def container(image_id: str, settings: Settings, mounts: tuple[Mount, ...], *, seccomp: str) -> dict[str, Any]:
    """The body of the engine's request to create one; `seccomp`: the profile, as this engine takes it."""
    return {
        "Image": image_id,
        "Entrypoint": list(_COMMAND),
        "Cmd": [],
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "TMPDIR=/tmp", "LANG=C.UTF-8"],
        "User": USER,
        "WorkingDir": "/tmp",  # noqa: S108 -- the box's own
        "Hostname": "box",
        "NetworkDisabled": True,
        "Tty": False,
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": {LABEL: owner()},
        "HostConfig": _host(settings, mounts, seccomp),
    }


def _host(settings: Settings, mounts: tuple[Mount, ...], seccomp: str) -> dict[str, Any]:
    host: dict[str, Any] = {
        "AutoRemove": True,
        "NetworkMode": "none",
        "ReadonlyRootfs": True,
        "Tmpfs": {"/tmp": f"rw,noexec,nosuid,nodev,size={settings.tmpfs},mode=1777"},  # noqa: S108 -- the box's own
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges", f"seccomp={seccomp}"],
        "PidsLimit": settings.pids,
        "Memory": settings.memory,
        "MemorySwap": settings.memory,
        "NanoCpus": int(settings.cpus * _BILLION),
        "IpcMode": "none",
        "Ulimits": [
            {"Name": name, "Soft": limit, "Hard": limit}
            for name, limit in (("nofile", _NOFILE), ("nproc", _NPROC), ("core", 0))
        ],
        "LogConfig": {"Type": "none", "Config": {}},
        "RestartPolicy": {"Name": "no"},
        "Mounts": [_mount(mount) for mount in mounts],
    }
    if settings.runtime:
        host["Runtime"] = settings.runtime
    return host


def _mount(mount: Mount) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": mount.source,
        "Target": mount.target,
        "ReadOnly": not mount.writable,
        # What is mounted below the source would stay writable: a read-only mount has nothing of it.
        "BindOptions": {"Propagation": "rprivate", "NonRecursive": not mount.writable},
    }
