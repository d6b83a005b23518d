"""Alerts and the life of processes: ends, kills, forks, restarts, and what is imported when."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from agentcop_alerts.outbox import Outbox
from slack_server import SlackServer, words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.processes

POLICY = """
agent_id: billing
monitor: {alert_channels: [{type: slack, webhook: '${HOOK}'}]}
gate: {allow: [fine]}
"""

BEGIN = """
import os, sys, time
from agentcop import AgentCop, ToolBlocked
cop = AgentCop(policy_file="policy.yaml")
def block(name):
    try:
        cop.tool(lambda: None, name=name)()
    except ToolBlocked:
        pass
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    with SlackServer() as server:
        monkeypatch.setenv("HOOK", server.url)
        yield server


@pytest.fixture
def outbox(agentcop_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Outbox(agentcop_home / "alerts")


PATIENT = """
from agentcop_alerts import sender
sender.AlertSender.close.__defaults__ = (12.0,)
"""


def run(program: str, *, patient: bool = True) -> list[str]:
    """The words that an agent's process prints; it must end well.

    `patient`: at its end it waits twelve seconds for what is on its way, not two seconds: this machine may be busy.
    """
    begin = BEGIN + (PATIENT if patient else "")
    done = subprocess.run(
        [sys.executable, "-c", begin + program], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_process_that_ends_right_after_the_block_has_told_of_it(server: SlackServer, outbox: Outbox) -> None:
    run("block('wipe')")

    assert len(server.messages) == 1
    assert outbox.items("pending") == []


def test_nothing_that_sends_is_started_by_a_thread_that_an_ending_interpreter_would_refuse(
    server: SlackServer, outbox: Outbox
) -> None:
    run(
        "import threading\n"
        "start = threading.Thread.start\n"
        "def only_from_the_main_thread(thread):\n"
        "    if threading.current_thread() is not threading.main_thread():\n"
        "        raise RuntimeError('can\\'t create new thread at interpreter shutdown')\n"
        "    start(thread)\n"
        "threading.Thread.start = only_from_the_main_thread\n"
        "import atexit\n"
        "block('wipe')\n"
        "def at_the_end(thread): raise RuntimeError('can\\'t create new thread at interpreter shutdown')\n"
        "atexit.register(setattr, threading.Thread, 'start', at_the_end)"
    )

    assert len(server.messages) == 1
    assert outbox.items("pending") == []


def test_a_process_does_not_wait_for_a_channel_that_hangs_and_the_next_one_sends(
    server: SlackServer, outbox: Outbox
) -> None:
    server.hold = threading.Event()
    began = time.monotonic()
    run("block('wipe')", patient=False)
    took = time.monotonic() - began
    server.hold.set()
    server.hold = None

    assert took < 9  # the channel would have been given ten seconds
    assert len(outbox.items("pending")) == 1
    run("time.sleep(0.01)")
    assert outbox.items("pending") == []


def test_what_a_killed_process_left_is_sent_by_the_next(server: SlackServer, outbox: Outbox) -> None:
    server.answers += [(503, {}, "down")] * 50
    program = BEGIN + "for number in range(5): block(f'wipe{number}')\nprint('blocked', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as agent:
        assert agent.stdout is not None
        agent.stdout.readline()
        until = time.monotonic() + 20
        while len(outbox.items("pending")) < 5 and time.monotonic() < until:
            time.sleep(0.01)
        agent.send_signal(signal.SIGKILL)
    assert len(outbox.items("pending")) == 5
    server.answers.clear()
    for path, waiting in outbox.waiting():
        with outbox.claim(path, waiting) as claim:
            assert claim is not None
            claim.put_off("down", 0.0)

    run("time.sleep(0.01)")

    assert sorted(words(message).split("tool ")[1].split()[0] for message in server.messages) == [
        f"wipe{number}" for number in range(5)
    ]
    assert outbox.items("pending") == []


def test_a_thousand_blocks_of_several_kinds_are_a_handful_of_messages(server: SlackServer, outbox: Outbox) -> None:
    run("for number in range(1000): block(f'wipe{number % 3}')")

    assert len(server.messages) == 3
    assert sum(item.count for item in outbox.items("pending")) == 997
    assert len(outbox.items("pending")) == 3


def test_a_forked_child_tells_of_its_own_blocks_and_the_parent_of_the_parents(
    server: SlackServer, outbox: Outbox
) -> None:
    run("block('parent')\nchild = os.fork()\nif not child:\n    block('child'); sys.exit(0)\nos.waitpid(child, 0)")

    assert sorted(words(message).split("tool ")[1].split()[0] for message in server.messages) == ["child", "parent"]
    assert outbox.items("pending") == []


def test_a_child_of_multiprocessing_tells_before_it_ends(server: SlackServer, outbox: Outbox) -> None:
    run(
        "import multiprocessing\n"
        "child = multiprocessing.get_context('fork').Process(target=block, args=('wipe',))\n"
        "child.start(); child.join()"
    )

    assert len(server.messages) == 1
    assert outbox.items("pending") == []


def test_sinks_are_loaded_only_to_send_and_alerts_only_by_a_policy_with_a_channel(
    server: SlackServer, outbox: Outbox
) -> None:
    loaded = "print(*(name for name in ('agentcop_alerts', 'slack_sdk', 'smtplib') if name in sys.modules))"

    assert run(f"cop.tool(lambda: None, name='fine')(); {loaded}") == ["agentcop_alerts"]
    plain = (
        "import sys; from agentcop import AgentCop, GatePolicy; AgentCop(agent_id='a', policy=GatePolicy(allow=['x']))"
    )
    done = subprocess.run([sys.executable, "-c", f"{plain}; {loaded}"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    assert server.attempts == 0
    assert outbox.items("pending") == []


def test_a_thread_that_blocks_while_another_forks_leaves_the_child_able_to_tell(
    server: SlackServer, outbox: Outbox
) -> None:
    run(
        "import threading\n"
        "stop = threading.Event()\n"
        "def busy():\n"
        "    while not stop.is_set(): block('busy')\n"
        "threading.Thread(target=busy, daemon=True).start()\n"
        "time.sleep(0.05)\n"
        "for number in range(3):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        block(f'child{number}'); sys.exit(0)\n"
        "    os.waitpid(child, 0)\n"
        "stop.set()",
        patient=False,
    )
    run("time.sleep(0.01)")  # what two seconds were not enough for

    told = {words(message).split("tool ")[1].split()[0] for message in server.messages}
    assert told >= {f"child{number}" for number in range(3)}
    assert [item for item in outbox.items("pending") if not item.repeat] == []
