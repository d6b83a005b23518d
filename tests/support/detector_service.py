"""`agentcop detector` as a process of its own, on free loopback ports."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text

from agentcop_detectors.segments.names import frames_in, sealed_paths, segment_paths
from agentcop_detectors.segments.sealed import opened
from agentcop_detectors.service.status import read_status
from exporting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_detectors.segments.frame import Frame
    from agentcop_detectors.service.status import Status

PATIENCE = 90  # seconds; only a broken service takes so long
ANY = "127.0.0.1:0"


class Service:
    """A running detector, its files and its endpoints."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path, log: Path) -> None:
        self.process = process
        self.home = home
        self._log = log

    @property
    def log(self) -> str:
        """What it said on stderr so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def status(self, name: str) -> Status:
        found = read_status(self.home / "detector" / "status", name)
        assert found is not None, f"{name} said nothing\n{self.log}"
        return found

    def pid(self, name: str) -> int:
        """Of one of its processes; 0 while it is not there."""
        return int(self.status("supervisor").gauges[f"pid.{name}"])

    @property
    def http(self) -> str:
        return f"http://{self.status('front').words['http']}"

    @property
    def grpc(self) -> str:
        return self.status("front").words["grpc"]

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of GET `path` at the operations endpoint."""
        url = f"http://{self.status('operations').words['at']}{path}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def ready(self) -> bool:
        try:  # what an earlier service of this folder left behind says nothing about this one
            return self.status("supervisor").pid == self.process.pid and self.get("/readyz")[0] == 200
        except (OSError, AssertionError, KeyError):
            return False

    def wait_ready(self) -> None:
        until(lambda: self.ready() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log

    def kill(self, name: str) -> None:
        """SIGKILL one of its processes, and wait until there is another."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.pid(name) not in {0, pid})

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def frames(self) -> list[Frame]:
        """All that was received, from segments open and sealed."""
        folder = self.home / "detector" / "segments"
        found: dict[int, list[Frame]] = {}
        for number, path in segment_paths(folder):
            with contextlib.suppress(FileNotFoundError):  # it was sealed meanwhile
                found[number] = [frame for _, _, frame in frames_in(path)]
        for number, path in sealed_paths(folder):
            with opened(path) as sealed:
                found[number] = list(sealed.all_frames())
        return [frame for number in sorted(found) for frame in found[number]]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database holds."""
        engine = create_engine(f"sqlite:///{self.home / 'detector' / 'detector.db'}")
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]
        finally:
            engine.dispose()

    def metric(self, line: str) -> float:
        """The value of a metric, named with its labels as /metrics has it; 0 for one that is not there."""
        _, body = self.get("/metrics")
        found = [each for each in body.splitlines() if each.rpartition(" ")[0] == line]
        return float(found[0].rpartition(" ")[2]) if found else 0.0


@contextmanager
def detector(home: Path, *options: str | Path, environment: dict[str, str] | None = None) -> Iterator[Service]:
    """A detector in the state folder `home`, ready; killed at the end if it is still there."""
    with starting(home, *options, environment=environment) as service:
        service.wait_ready()
        yield service


@contextmanager
def starting(home: Path, *options: str | Path, environment: dict[str, str] | None = None) -> Iterator[Service]:
    """The same without waiting for it."""
    home.mkdir(parents=True, exist_ok=True)
    log = home.parent / f"{home.name}.log"
    given = {str(option) for option in options}
    ports = [word for name in ("--grpc", "--http", "--operations") if name not in given for word in (name, ANY)]
    command = [sys.executable, "-m", "agentcop", "detector", "--state", str(home), *ports, *map(str, options)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTCOP_", "OTEL_"))}
    with log.open("ab") as said:
        process = subprocess.Popen(
            command, env={**clean, **(environment or {})}, stdout=said, stderr=said, start_new_session=True
        )
        service = Service(process, home, log)
        try:
            yield service
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


def post(url: str, body: bytes, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of a POST."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, named)  # noqa: S310 -- our own service
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 -- our own service
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read(), dict(answer.headers)


def said_by(body: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body)
    return found
