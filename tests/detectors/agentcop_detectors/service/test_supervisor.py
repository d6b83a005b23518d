"""The supervisor, on real processes: it keeps them alive, counts, and ends them in order within a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agentcop_detectors.service.status import Status, read_status
from exporting import until

pytestmark = pytest.mark.processes

# A service of made-up roles: each writes its pid, and what it does is named by the arguments.
PROGRAM = """
import os, sys, time
from pathlib import Path
from agentcop_core.errors import AgentCopError
from agentcop_detectors.service.child import Role
from agentcop_detectors.service.status import Publisher
from agentcop_detectors.service.supervisor import Supervisor

folder = Path(sys.argv[1])

def role(name, kind):
    def work(stop):
        with (folder / f"{name}.pids").open("a") as file:
            file.write(f"{os.getpid()}\\n")
        if kind == "cannot":
            raise AgentCopError("the port is taken\\x1b[31m")
        if kind == "faulty":
            raise ValueError("a fault")
        stop.wait(None)
        if kind == "hangs":
            time.sleep(600)
        with (folder / "ended").open("a") as file:
            file.write(f"{name}\\n")
    return Role(name=name, work=work, drain_seconds=1.0)

roles = [role(*word.split("=")) for word in sys.argv[2:]]
sys.exit(Supervisor(roles, Publisher(folder, "supervisor")).run())
"""


class Supervised:
    """A running supervisor."""

    def __init__(self, folder: Path, *roles: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder), *roles], stderr=subprocess.PIPE, text=True
        )

    def pids(self, name: str) -> list[int]:
        path = self.folder / f"{name}.pids"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def status(self) -> Status:
        found = read_status(self.folder, "supervisor")
        assert found is not None
        return found

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        return self.result()

    def result(self) -> tuple[int, str]:
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said

    @property
    def ended(self) -> list[str]:
        path = self.folder / "ended"
        return path.read_text().split() if path.exists() else []


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_processes_are_ended_one_after_the_other_in_their_order(tmp_path: Path, number: int) -> None:
    service = Supervised(tmp_path, "front=waits", "scorer=waits", "operations=waits")
    until(lambda: all(service.pids(name) for name in ("front", "scorer", "operations")))
    assert service.end(number)[0] == 0
    assert service.ended == ["front", "scorer", "operations"]
    assert all(gone(service.pids(name)[0]) for name in ("front", "scorer", "operations"))


def test_a_signal_to_the_whole_group_does_not_disturb_the_order(tmp_path: Path) -> None:
    """As a terminal sends Ctrl-C."""
    service = Supervised(tmp_path, "front=waits", "scorer=waits")
    until(lambda: bool(service.pids("front") and service.pids("scorer")))
    for name in ("scorer", "front"):
        os.kill(service.pids(name)[0], signal.SIGINT)
        os.kill(service.pids(name)[0], signal.SIGTERM)
    assert service.end()[0] == 0
    assert service.ended == ["front", "scorer"]


def test_a_process_that_dies_is_started_again_and_counted(tmp_path: Path) -> None:
    service = Supervised(tmp_path, "front=waits", "scorer=waits")
    for dead in range(1, 4):
        until(lambda dead=dead: len(service.pids("scorer")) == dead)  # type: ignore[misc]
        os.kill(service.pids("scorer")[-1], signal.SIGKILL)
    until(lambda: len(service.pids("scorer")) == 4)
    until(lambda: service.status().counts == {"restarts.front": 0, "restarts.scorer": 3})
    until(lambda: service.status().gauges["pid.scorer"] == service.pids("scorer")[-1])
    assert len(service.pids("front")) == 1
    assert service.end()[0] == 0


def test_a_process_that_cannot_do_what_it_was_told_ends_the_service_with_2_and_a_line(tmp_path: Path) -> None:
    service = Supervised(tmp_path, "front=waits", "scorer=cannot")
    code, said = service.result()
    assert code == 2
    assert said == "agentcop: scorer: the port is taken\\x1b[31m\n"
    assert len(service.pids("scorer")) == 1
    assert service.ended == ["front"]


def test_a_process_that_fails_at_once_is_started_again_with_growing_pauses(tmp_path: Path) -> None:
    service = Supervised(tmp_path, "front=faulty")
    until(lambda: len(service.pids("front")) == 4)
    _, said = service.end()
    assert "ValueError: a fault" in said
    assert [line.rpartition("in ")[2] for line in said.splitlines() if "started again" in line][:3] == [
        "0.2 s",
        "0.4 s",
        "0.8 s",
    ]


def test_a_process_that_does_not_end_is_killed_in_time_and_said(tmp_path: Path) -> None:
    service = Supervised(tmp_path, "front=hangs", "scorer=waits")
    until(lambda: bool(service.pids("front") and service.pids("scorer")))
    code, said = service.end()
    assert code == 1
    assert "front did not end in time; killed" in said
    assert service.ended == ["scorer"], "the others are drained all the same"
    assert gone(service.pids("front")[0])


def test_the_others_end_by_themselves_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    service = Supervised(tmp_path, "front=waits", "scorer=waits")
    until(lambda: bool(service.pids("front") and service.pids("scorer")))
    service.process.kill()
    service.result()
    until(lambda: sorted(service.ended) == ["front", "scorer"])
    until(lambda: all(gone(service.pids(name)[0]) for name in ("front", "scorer")))
    assert sorted(service.ended) == ["front", "scorer"], "each once, and by itself"


def test_what_it_says_is_there_for_others_to_read(tmp_path: Path) -> None:
    service = Supervised(tmp_path, "front=waits")
    until((tmp_path / "supervisor.json").exists)
    said = json.loads((tmp_path / "supervisor.json").read_bytes())
    assert said["pid"] == service.process.pid
    assert service.end()[0] == 0
