"""The engines that `scripts/groups/sandbox` has started, as a test asks them; and others that a test may kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from agentcop_processor.sandbox.boxes.pool import Kind
from agentcop_processor.sandbox.boxes.runner import opened, prepare
from agentcop_processor.sandbox.bubblewrap.process import ProcessEngine
from agentcop_processor.sandbox.containers.container import ContainerEngine
from agentcop_processor.sandbox.engines.owner import LABEL
from agentcop_processor.sandbox.image import PLAIN_TAG
from agentcop_processor.sandbox.image.loading import load
from agentcop_processor.sandbox.image.plain import build_plain
from agentcop_processor.sandbox.parcel import Parcel
from agentcop_processor.sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_processor.sandbox.boxes.conversation import Box
    from agentcop_processor.sandbox.engine import Engine, Mount

Name = Literal["docker", "podman"]
_SCRIPTS = Path(__file__).parents[2] / "scripts"

SETTINGS = Settings(image=PLAIN_TAG, network="none", timeout=30.0)
HANG = """
import os, signal, subprocess, sys, time
def tool(mark):
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except OSError:
            pass
    for new in (True, False):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", mark], start_new_session=new)
    while True:
        time.sleep(600)
"""
"""A tool that ignores every signal, with a grandchild in a session of its own."""
ANSWER = "def tool(value=None): return value"


def socket_of(name: Name) -> str:
    """Where it listens."""
    return os.environ[f"TEST_{name.upper()}"].removeprefix("unix://")


@pytest.fixture(params=["docker", "podman"])
def container(request: pytest.FixtureRequest) -> ContainerEngine:
    """Docker, then Podman."""
    return ContainerEngine(request.param, socket_of(request.param))


@pytest.fixture(params=["docker", "podman", "process"])
def each(request: pytest.FixtureRequest) -> Engine:
    """Docker, Podman, bubblewrap."""
    if request.param == "process":
        return ProcessEngine()
    return ContainerEngine(request.param, socket_of(request.param))


def box_of(engine: Engine, source: str = ANSWER, settings: Settings = SETTINGS, mounts: tuple[Mount, ...] = ()) -> Box:
    """An open and probed box that has this function `tool` loaded."""
    box = opened(engine, Kind(settings=settings, mounts=mounts))
    prepare(box, settings, Parcel(module="made_up", name="tool", source=source))
    return box


def is_there(engine: ContainerEngine, container_id: str) -> bool:
    """Whether the engine has the container, running or not."""
    return container_id in {str(each["Id"]) for each in engine.client().containers(all=True)}


def boxes_of(engine: ContainerEngine, pid: int) -> list[str]:
    """The ids of all boxes that this process has started."""
    boxes = engine.client().containers(all=True, filters={"label": LABEL})
    return [str(each["Id"]) for each in boxes if each["Labels"][LABEL].split(":")[2] == str(pid)]


def running(mark: str) -> list[int]:
    """Processes of this machine, in boxes or not, that have the mark in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


class OwnEngine:
    """A Docker or Podman that a test may kill and start again."""

    def __init__(self, name: Name, folder: Path) -> None:
        self.name = name
        self._folder = folder
        self.socket = str(folder / f"{name}.sock")

    def start(self) -> None:
        """Wait until it answers."""
        self._run(f"{self.name}_start")

    def kill(self) -> None:
        """The service, without a chance to clean up: neither what it runs nor what it has mounted."""
        for file in ("pid", "exec/containerd/containerd.pid"):
            path = self._folder / self.name / file
            if path.exists():
                with suppress(ProcessLookupError):  # Docker's containerd ends with it, now or in a moment
                    os.kill(int(path.read_text()), signal.SIGKILL)
                path.unlink()  # where nobody reaps it, the next one would wait for the dead containerd

    def stop(self) -> None:
        """With all that it runs."""
        self._run("engines_stop")

    def _run(self, function: str) -> None:
        script = f'set -euo pipefail; python={sys.executable}; . "{_SCRIPTS}/_engines.sh"; {function} "$0"'
        done = subprocess.run(
            ["bash", "-c", script, str(self._folder)], stderr=subprocess.PIPE, text=True, timeout=180, check=False
        )
        assert done.returncode == 0, done.stderr


@contextmanager
def own_engine(name: Name) -> Iterator[OwnEngine]:
    """Started and with the image; stopped afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="e-"))  # the engines take no long paths
    engine = OwnEngine(name, folder)
    try:
        engine.start()
        built, _ = build_plain()
        load(engine.socket, built, PLAIN_TAG)
        yield engine
    finally:
        engine.stop()
        shutil.rmtree(folder)
