"""What the box is, read from within by the supervisor before any of the tool's code ran. Only reads, never raises."""

from __future__ import annotations

import os
import sys

from . import native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MAX_FILE = 65536
_CGROUP = "/sys/fs/cgroup"
_UNLIMITED = 1 << 62  # cgroup v1 says "no limit" by a number close to 2**63


def gather(*, relay: bool) -> dict[str, object]:
    """The facts by name, as the protocol lists them. What cannot be read is None, which no probe takes for a yes."""
    status = dict(_pairs(text("/proc/self/status")))
    return {
        "pid": os.getpid(),
        "uid": os.geteuid(),
        "gid": os.getegid(),
        "cap_eff": status["CapEff"].lstrip("0").lower() or "0" if "CapEff" in status else None,
        "no_new_privs": _number(status.get("NoNewPrivs", "")),
        "seccomp": _number(status.get("Seccomp", "")),
        "interfaces": sorted(name for name, _ in _pairs(text("/proc/net/dev"))),
        "root_writable": any(_writable(folder) for folder in ("/", "/usr", "/etc", "/var", os.path.dirname(__file__))),
        "memory": _lowest("memory", ("memory.max", "memory.limit_in_bytes")),
        "pids": _lowest("pids", ("pids.max",)),
        "dumpable": native.dumpable(),
        "landlock": native.landlock_version(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "relay": relay,
    }


def text(path: str) -> str:
    """The file's first 64 KiB; "" where it cannot be read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(file, _MAX_FILE).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(file)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """`name: value` by line; a line without a colon is none."""
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip(), value.strip()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _writable(folder: str) -> bool:
    """Whether a file can be made in it; it is removed again."""
    path = os.path.join(folder, ".agentcop-" + os.urandom(8).hex())
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    os.close(file)
    try:
        os.unlink(path)
    except OSError:
        return True
    return True


def _lowest(controller: str, names: tuple[str, ...]) -> int | None:
    """The lowest limit of this process's own cgroups and those above them, as far as they can be seen."""
    said = [_number(text(f"{folder}/{name}").strip()) for folder in _folders(controller) for name in names]
    limits = [limit for limit in said if limit is not None and limit < _UNLIMITED]
    return min(limits) if limits else None


def _folders(controller: str) -> Iterable[str]:
    for line in text("/proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        for root in (f"{_CGROUP}/{controllers}", f"{_CGROUP}/{controller}") if controllers else (_CGROUP,):
            above = path.rstrip("/")
            while True:
                yield root + above
                if not above:
                    break
                above = above.rpartition("/")[0]
