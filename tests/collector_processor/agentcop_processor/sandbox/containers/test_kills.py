"""Whatever is killed in the middle of a call: nothing of the tool runs on, and no container stays."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agentcop_processor.sandbox.containers.container import ContainerEngine
from agentcop_processor.sandbox.engine import LinkLost
from agentcop_processor.sandbox.threads import in_thread
from engines import ANSWER, HANG, box_of, boxes_of, container, each, is_there, own_engine, running
from exporting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_processor.sandbox.engine import Engine
    from engines import Name

__all__ = ["container", "each"]

pytestmark = pytest.mark.sandbox

HOST = """
import json, sys, time
from agentcop_processor.sandbox.containers.container import ContainerEngine
from agentcop_processor.sandbox.bubblewrap.process import ProcessEngine
from engines import HANG, box_of
name, socket, mark, when = sys.argv[1:]
engine = ContainerEngine(name, socket) if socket else ProcessEngine()
box = box_of(engine, HANG)
print(box.link.id, flush=True)
if when == "waiting":
    time.sleep(600)
box.call(json.dumps({"args": [mark], "kwargs": {}}).encode(), 600)
"""


@pytest.fixture
def mark() -> str:
    return f"mark-{os.urandom(8).hex()}"


def arguments(*values: str) -> bytes:
    return ('{"args": [' + ", ".join(f'"{value}"' for value in values) + '], "kwargs": {}}').encode()


def host(engine: Engine, mark: str, when: str) -> tuple[subprocess.Popen[str], str]:
    """A process with a box in which the tool hangs, or waits to be called; and the box's id."""
    words = [sys.executable, "-c", HOST, engine.name, getattr(engine, "socket", ""), mark, when]
    support = str(Path(sys.modules["engines"].__file__ or "").parent)
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": support})
    assert process.stdout is not None
    box = process.stdout.readline().strip()
    assert box
    if when == "calling":
        until(lambda: len(tools(mark, process)) == 2)
    return process, box


def tools(mark: str, process: subprocess.Popen[str]) -> list[int]:
    return [pid for pid in running(mark) if pid != process.pid]


@pytest.mark.parametrize("when", ["waiting", "calling"])
def test_a_host_that_is_killed_takes_its_boxes_along(each: Engine, mark: str, when: str) -> None:
    process, box = host(each, mark, when)
    with process:
        process.kill()
    until(lambda: not running(mark))
    if isinstance(each, ContainerEngine):
        until(lambda: not is_there(each, box))
    else:
        until(lambda: not Path(f"/proc/{box}").exists())
    assert running(mark) == []


def test_a_tool_that_ignores_every_signal_ends_with_its_grandchildren_at_the_time_out(each: Engine, mark: str) -> None:
    box = box_of(each, HANG)
    try:
        assert box.call(arguments(mark), 1.0).status == "timeout"
        assert running(mark) == []
    finally:
        box.close()


def test_a_box_that_is_closed_in_the_middle_of_a_call_is_gone_and_its_caller_goes_on(each: Engine, mark: str) -> None:
    box = box_of(each, HANG)
    ended: list[LinkLost] = []

    def call() -> None:
        try:
            box.call(arguments(mark), 600)
        except LinkLost as lost:
            ended.append(lost)

    thread = threading.Thread(target=call)
    thread.start()
    until(lambda: len(running(mark)) == 2)
    box.close()
    assert running(mark) == []
    thread.join(60)
    assert len(ended) == 1
    box.close()


def test_a_cancelled_caller_leaves_nothing_running(each: Engine, mark: str) -> None:
    box = box_of(each, HANG)

    async def cancelled() -> None:
        work = asyncio.ensure_future(in_thread(lambda: box.call(arguments(mark), 600), name="call", given_up=box.close))
        await asyncio.to_thread(until, lambda: len(running(mark)) == 2)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(cancelled())
    until(lambda: not running(mark))
    if isinstance(each, ContainerEngine):
        until(lambda: not is_there(each, box.link.id))
    box.close()


def test_a_forked_child_holds_no_box_of_its_parent_open(container: ContainerEngine, mark: str) -> None:
    code = HOST.replace("print(", "import os\nif not os.fork():\n    time.sleep(600)\nprint(")
    support = str(Path(sys.modules["engines"].__file__ or "").parent)
    words = [sys.executable, "-c", code, container.name, container.socket, mark, "calling"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": support}, start_new_session=True
    ) as process:
        assert process.stdout is not None
        box = process.stdout.readline().strip()
        until(lambda: len(running(mark)) == 4)
        process.kill()
        until(lambda: not is_there(container, box))
        until(lambda: len(running(mark)) == 1)
        os.killpg(process.pid, signal.SIGKILL)


def test_a_forked_child_and_its_parent_ask_the_engine_without_disturbing_each_other(container: ContainerEngine) -> None:
    container.client().ping()
    child = os.fork()
    if not child:
        status = 1
        try:
            for _ in range(30):
                container.client().ping()
            box = box_of(container)
            status = 0 if box.call(arguments("x"), 30).status == "ok" else 2
            box.close()
        finally:
            os._exit(status)
    for _ in range(30):
        container.client().ping()
    assert os.waitpid(child, 0)[1] == 0


def test_an_interrupt_while_the_engine_makes_a_box_leaves_none(
    container: ContainerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = container.client()
    for step in ("create_container_from_config", "inspect_container", "attach_socket", "start"):
        before = getattr(client, step)

        def interrupted(*values: Any, _step: Callable[..., Any] = before, **names: Any) -> None:
            stream = _step(*values, **names)
            if hasattr(stream, "_sock"):  # what nobody has any more is closed when it is collected, with a warning
                stream._sock.close()  # noqa: SLF001 -- as above
                stream.close()
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(client, step, interrupted)
            with pytest.raises(KeyboardInterrupt):
                box_of(container)
        assert boxes_of(container, os.getpid()) == [], step


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_an_engine_that_is_killed_and_started_again_loses_the_call_and_serves_the_next(
    name: Name, mark: str, caplog: pytest.LogCaptureFixture
) -> None:
    with own_engine(name) as own:
        engine = ContainerEngine(name, own.socket)
        waiting, box = box_of(engine), box_of(engine, HANG)
        lost: list[LinkLost] = []

        def call() -> None:
            try:
                box.call(arguments(mark), 600)
            except LinkLost as error:
                lost.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        until(lambda: len(running(mark)) == 2)
        own.kill()
        thread.join(60)
        assert len(lost) == 1
        until(lambda: not waiting.link.alive())
        own.start()
        box.close()
        waiting.close()
        until(lambda: not running(mark))
        # An engine that missed a box's end cannot always remove it, though nothing of it runs: then that is said.
        until(lambda: boxes_of(engine, os.getpid()) == [] or "could not be removed" in caplog.text)
        left = boxes_of(engine, os.getpid())
        after = box_of(engine, ANSWER)
        try:
            assert after.call(arguments("x"), 30).status == "ok"
        finally:
            after.close()
        assert set(boxes_of(engine, os.getpid())) <= set(left)


def test_thirty_starts_and_ends_leave_no_file_and_no_thread_open(each: Engine) -> None:
    box_of(each).close()
    files, threads = open_files(), set(threading.enumerate())
    for _ in range(30):
        box = box_of(each)
        assert box.call(arguments("x"), 30).status == "ok"
        box.close()
    assert open_files() <= files
    assert set(threading.enumerate()) <= threads


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
