"""A box that cannot be started is told with its reason, in bounded time, and leaves nothing that runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import process_boxes
from agentcop_processor.sandbox.bubblewrap import process
from agentcop_processor.sandbox.bubblewrap.process import ProcessEngine
from agentcop_processor.sandbox.engine import EngineDown
from agentcop_processor.sandbox.settings import Settings
from process_boxes import PATIENCE, process_box, processes_with, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.sandbox

SETTINGS = Settings(mode="process", network="none")
ORDINARY = """
import os, pathlib, sys
from agentcop_processor.sandbox.bubblewrap import bwrap
from process_boxes import process_box
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(54321, 54321, 54321)
    os.setresuid(54321, 54321, 54321)
    os.environ["HOME"] = "/nonexistent"
with process_box() as running:
    print(running.run("import os\\ndef tool(): return os.getuid(), os.getgid()"))
"""


def _bwrap(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "bwrap"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_what_bubblewrap_says_as_it_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _bwrap(tmp_path, monkeypatch, "echo 'bwrap: Unknown option --size' >&2; exit 1")
    with pytest.raises(EngineDown, match="this bubblewrap is older than"):
        ProcessEngine().start(SETTINGS, ())


def test_a_bubblewrap_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_START", 1.0)
    _bwrap(tmp_path, monkeypatch, f"sleep 600; : {tmp_path}")
    with pytest.raises(EngineDown):
        ProcessEngine().start(SETTINGS, ())
    until(lambda: processes_with(f"{tmp_path}/bwrap") == [])


def test_a_bubblewrap_where_nobody_else_can_walk_makes_boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "private"
    folder.mkdir(0o700)
    shutil.copy("/usr/bin/bwrap", folder)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(process_boxes, "ENGINE", ProcessEngine())
    with process_box() as running:
        assert running.run("def tool(): return 'done'") == "done"


def test_boxes_are_started_by_many_threads_at_once() -> None:
    said: list[object] = []

    def start() -> None:
        with process_box() as running:
            said.append(running.run("import os\ndef tool(): return os.getppid()"))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert said == [1] * 6


@pytest.fixture
def everybodys() -> Iterator[Path]:
    """A folder that every user of this machine can read: the checkout may lie in one that none but its own can."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_an_ordinary_user_has_boxes_too(everybodys: Path) -> None:
    """With the system's Python, which every user can read; where the tests are run by a user it is that user."""
    for folder in ("collector_processor", "policies", "detectors", "tests/support"):
        shutil.copytree(folder, everybodys / folder, ignore=shutil.ignore_patterns("__pycache__"))
    path = os.pathsep.join(str(each) for each in (*everybodys.iterdir(), everybodys / "tests/support"))
    ran = subprocess.run(
        ["/usr/bin/python3", "-B", "-c", ORDINARY],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert ran.stdout == "(65534, 65534)\n", ran.stderr
