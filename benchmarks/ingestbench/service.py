"""`agentcop detector` as an operator starts it, and what its processes used: from the kernel, not from itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ANY: Final = "127.0.0.1:0"
_PATIENCE: Final = 300.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_COUNTED: Final = ("front", "scorer")


def wait(true: Callable[[], bool], what: str, seconds: float = _PATIENCE) -> None:
    """Until it is true. Exits where it never is."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            sys.exit(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.01)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mb(pid: int) -> float:
    """Memory of a process, its share of what it has in common with others counted once (PSS)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


class Service:
    """A running detector."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path) -> None:
        """`process`: the supervisor."""
        self.process = process
        self.home = home
        self.log = home / "stderr"

    def status(self, name: str) -> dict[str, Any]:
        """What one of its processes said last; empty if nothing."""
        try:
            said: dict[str, Any] = json.loads(
                (self.home / "detector" / "status" / f"{name}.json").read_text(encoding="utf-8")
            )
        except (OSError, ValueError):
            return {}
        return said

    def pid(self, name: str) -> int:
        """Of one of its processes; 0 while it is not there."""
        return int(self.status("supervisor").get("gauges", {}).get(f"pid.{name}", 0))

    def count(self, name: str, what: str) -> int:
        """A count of one of its processes."""
        return int(self.status(name).get("counts", {}).get(what, 0))

    @property
    def http(self) -> str:
        """Host and port of OTLP/HTTP."""
        return str(self.status("front").get("words", {}).get("http", ""))

    @property
    def grpc(self) -> str:
        """Host and port of OTLP/gRPC."""
        return str(self.status("front").get("words", {}).get("grpc", ""))

    def cpu(self) -> dict[str, float]:
        """CPU-seconds of front and scorer so far."""
        return {name: cpu_seconds(self.pid(name)) for name in _COUNTED}

    def memory(self) -> float:
        """Megabytes of all its processes."""
        pids = [self.process.pid, *filter(None, (self.pid(name) for name in (*_COUNTED, "operations")))]
        return sum(memory_mb(pid) for pid in pids)

    def kill(self, name: str) -> None:
        """SIGKILL one of its processes; the supervisor starts it again."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        wait(lambda: self.pid(name) not in {0, pid} and self.ready(), f"another {name}")

    def ready(self) -> bool:
        """Whether all its processes work."""
        return all(self.status(name).get("ready") and self.pid(name) for name in _COUNTED) and bool(self.http)

    def scored(self, spans: int) -> None:
        """Wait until so many spans are scored."""
        wait(lambda: self.count("scorer", "steps") >= spans, f"the last of {spans} spans")


@contextmanager
def service(*more: str) -> Iterator[Service]:
    """Starts one with a state folder of its own on free ports, and drains it afterwards. `more`: further options."""
    with tempfile.TemporaryDirectory(prefix="agentcop-ingest-") as folder:
        home = Path(folder)
        command = [str(Path(sys.executable).parent / "agentcop"), "detector", "--home", str(home)]
        options = ["--http", _ANY, "--grpc", _ANY, "--operations", _ANY, "--source", "otlp", *more]
        with (home / "stderr").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 -- our own command
                [*command, *options], stderr=log, stdout=log
            )
        running = Service(process, home)
        try:
            wait(lambda: running.ready() or process.poll() is not None, "the service", 60)
            if process.poll() is not None:
                sys.exit(f"the detector did not start: {running.log.read_text(encoding='utf-8')[-2_000:]}")
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
