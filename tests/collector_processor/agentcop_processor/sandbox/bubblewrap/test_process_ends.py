"""A box ends with all that runs in it: when it is killed, and when the process that asked for it is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

from agentcop_processor.sandbox.bubblewrap.process import ProcessEngine
from agentcop_processor.sandbox.engine import LinkLost
from agentcop_processor.sandbox.settings import Settings
from process_boxes import PATIENCE, process_box, processes_with, until

pytestmark = pytest.mark.sandbox

HANG = """
    import os, signal, subprocess, sys, time
    def tool(mark):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for _ in range(3):
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", mark], start_new_session=True)
        time.sleep(600)
"""
HOST = """
import sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from process_boxes import process_box, processes_with, until
HANG, mark = sys.argv[1:]
box = process_box()
with ThreadPoolExecutor(1) as pool:
    running = pool.submit(box.__enter__).result()
time.sleep(0.2)  # its thread has ended, and what the kernel would do of it is done
running.prepare(HANG)
threading.Thread(target=running.reply, args=(mark,), daemon=True).start()
until(lambda: len(processes_with(mark)) >= 3 + 1)
print("runs", flush=True)
time.sleep(600)
"""


def _mark() -> str:
    return f"mark-{uuid.uuid4().hex}"


def _script(text: str, *args: str) -> subprocess.Popen[str]:
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", text, *args], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )


def test_killing_leaves_no_process_of_the_tool() -> None:
    mark = _mark()
    lost: list[LinkLost] = []
    with process_box() as running:
        running.prepare(HANG)

        def call() -> None:
            try:
                running.reply(mark)
            except LinkLost as error:
                lost.append(error)

        calling = threading.Thread(target=call)
        calling.start()
        until(lambda: len(processes_with(mark)) >= 3)
        running.box.close()
        assert processes_with(mark) == []
        calling.join(PATIENCE)
        assert not calling.is_alive()
        assert len(lost) == 1
        running.box.close()  # again: nothing happens
        with pytest.raises(LinkLost, match="killed"):
            running.reply(mark)
        assert not running.box.link.alive()


def test_the_box_outlives_the_thread_that_asked_for_it_and_ends_with_the_process() -> None:
    mark = _mark()
    with _script(HOST, HANG, mark) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "runs\n"
        host.kill()
        host.wait(PATIENCE)
        until(lambda: processes_with(mark) == [])


def test_a_process_that_was_forked_has_boxes_of_its_own() -> None:
    forking = """
import os
from process_boxes import process_box
source = "def tool(): return 'done'"
with process_box() as first:
    child = os.fork()
    if child == 0:
        with process_box() as second:
            os._exit(0 if second.run(source) == "done" else 1)
    assert os.waitpid(child, 0)[1] == 0
    print(first.run(source))
"""
    with _script(forking) as host:
        assert host.communicate(timeout=PATIENCE)[0] == "done\n"


def test_a_box_that_says_nothing_is_late_and_not_lost() -> None:
    link = ProcessEngine().start(Settings(mode="process"), ())
    try:
        with pytest.raises(LinkLost, match="in time") as lost:
            link.receive(1, time.monotonic() + 0.05)
        assert lost.value.late
        assert link.alive()
    finally:
        link.kill()


def test_a_box_whose_supervisor_ends_is_lost_with_what_it_said() -> None:
    link = ProcessEngine().start(Settings(mode="process"), ())
    try:
        link.send(b"\xff" * 8, time.monotonic() + PATIENCE)
        with pytest.raises(LinkLost, match="the supervisor ends") as lost:
            link.receive(1, time.monotonic() + PATIENCE)
        assert not lost.value.late
        until(lambda: not link.alive())
        assert "the supervisor ends" in link.stderr()
    finally:
        link.kill()


def test_more_than_a_pipe_holds_is_sent_until_the_deadline() -> None:
    link = ProcessEngine().start(Settings(mode="process"), ())
    try:
        with pytest.raises(LinkLost):
            link.send(b"\x00" * (1 << 22), time.monotonic() + 1.0)
    finally:
        link.kill()


def test_boxes_that_were_being_started_for_a_dead_process_are_swept() -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "from agentcop_processor.sandbox.engines.owner import owner; print(owner())"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ).stdout.strip()
    mark = f"agentcop-owner:{dead}"
    command = ["bwrap", "--unshare-user", "--unsetenv", mark, "--dev-bind", "/", "/", "sleep", "600"]
    with subprocess.Popen(command, start_new_session=True) as orphan:
        until(lambda: len(processes_with(mark)) >= 1)
        with process_box() as running:
            assert ProcessEngine().sweep() >= 1
            assert running.run("def tool(): return 'alive'") == "alive"
        assert orphan.wait(PATIENCE) == -9


STOPPED = """
import sys, time
from pathlib import Path
from process_boxes import process_box
box = process_box()
running = box.__enter__()
told = dict(line.split(":", 1) for line in Path(f"/proc/self/fdinfo/{running.box.link.first}").read_text().splitlines())
print(int(told["Pid"]), flush=True)
time.sleep(600)
"""


def test_a_box_whose_supervisor_hears_nothing_ends_with_the_process_all_the_same() -> None:
    with _script(STOPPED) as host:
        assert host.stdout is not None
        first = int(host.stdout.readline())
        os.kill(first, signal.SIGSTOP)
        host.kill()
        host.wait(PATIENCE)
        until(lambda: not Path(f"/proc/{first}").exists())
