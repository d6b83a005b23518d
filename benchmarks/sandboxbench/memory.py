"""What a box that waits takes: the proportional memory of its processes, and of those that the engine runs for it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentcop_processor.sandbox.engine import Engine, Link

_MIB = 1024.0


def idle(engine: Engine, link: Link) -> dict[str, float] | None:
    """MB of the box's own processes (`box`), of pid 1 alone (`supervisor`), of what waits outside for it (`around`).

    PSS, so that what boxes share is counted once. None where the kernel does not tell, as to another user than root.
    """
    first = _first(engine, link)
    if first is None:
        return None
    space = _namespace(first)
    inside = [pid for pid in _pids() if _namespace(pid) == space]
    around = [pid for pid in (_parent(first), _parent(_parent(first))) if pid > 1 and _is_of_the_box(pid)]
    sizes = {pid: _pss(pid) for pid in (*inside, *around)}
    if not inside or not all(sizes.values()):
        return None
    return {
        "box": round(sum(sizes[pid] for pid in inside), 1),
        "supervisor": round(sizes[first], 1),
        "around": round(sum(sizes[pid] for pid in around), 1),
    }


def _first(engine: Engine, link: Link) -> int | None:
    """The number outside of the box's pid 1."""
    if engine.name == "process":
        children = [pid for pid in _pids() if _parent(pid) == int(link.id)]
        return children[0] if children else None
    client = getattr(engine, "client", None)
    return int(client().inspect_container(link.id)["State"]["Pid"]) if client is not None else None


def _is_of_the_box(pid: int) -> bool:
    """A shim, a monitor, or the bubblewrap outside; not the daemon, and not this program."""
    name = _text(pid, "comm").strip()
    return name.startswith(("containerd-shim", "conmon", "bwrap"))


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _namespace(pid: int) -> str:
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    return ""


def _parent(pid: int) -> int:
    fields = _text(pid, "stat").rpartition(")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def _pss(pid: int) -> float:
    for line in _text(pid, "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / _MIB
    return 0.0


def _text(pid: int, name: str) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace")
    return ""
