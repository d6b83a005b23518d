"""The pipe to a container: pieces told apart, deadlines kept, nobody left waiting, nothing left open."""

from __future__ import annotations

import os
import resource
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.containers.attached import Attached
from agentcop_processor.sandbox.engine import LinkLost

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60.0


class Ends:
    """A link, the engine's end of its connection, and what was removed."""

    def __init__(self) -> None:
        ours, self.engine = socket.socketpair()
        self.removed: list[str] = []
        self.fault: Exception | None = None
        self.link = Attached("docker", "a" * 64, ours, self._remove)

    def say(self, stream: int, data: bytes) -> None:
        self.engine.sendall(struct.pack(">BxxxI", stream, len(data)) + data)

    def _remove(self, container: str) -> None:
        self.removed.append(container)
        if self.fault:
            raise self.fault


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.link.abandon()
    made.engine.close()


def soon() -> float:
    return time.monotonic() + PATIENCE


def test_output_and_errors_are_told_apart_however_they_are_cut(ends: Ends) -> None:
    for stream, data in ((1, b"ab"), (2, b"oh "), (1, b""), (1, b"cd"), (2, b"no"), (1, b"ef")):
        ends.say(stream, data)
    assert ends.link.receive(3, soon()) == b"abc"
    assert ends.link.receive(3, soon()) == b"def"
    ends.engine.shutdown(socket.SHUT_WR)
    assert ends.link.stderr() == "oh no"


def test_of_what_is_said_on_standard_error_the_end_is_kept_and_no_more(ends: Ends) -> None:
    for _ in range(40):
        ends.say(2, b"x" * 1_000)
    ends.say(2, b"the end")
    ends.engine.shutdown(socket.SHUT_WR)
    said = ends.link.stderr()
    assert (len(said), said[-7:]) == (4_096, "the end")


def test_a_box_that_says_nothing_in_time_is_late_and_one_that_ended_is_not(ends: Ends) -> None:
    with pytest.raises(LinkLost) as late:
        ends.link.receive(1, time.monotonic() + 0.05)
    assert late.value.late
    ends.engine.close()
    with pytest.raises(LinkLost) as ended:
        ends.link.receive(1, soon())
    assert not ended.value.late


def test_a_box_that_reads_nothing_is_late(ends: Ends) -> None:
    with pytest.raises(LinkLost) as late:
        ends.link.send(b"x" * 10_000_000, time.monotonic() + 0.1)
    assert late.value.late


def test_half_a_header_is_waited_for_until_the_deadline(ends: Ends) -> None:
    ends.engine.sendall(b"\x01\0\0")
    with pytest.raises(LinkLost) as late:
        ends.link.receive(1, time.monotonic() + 0.05)
    assert late.value.late


def test_whoever_reads_is_woken_when_another_thread_kills(ends: Ends) -> None:
    lost: list[LinkLost] = []

    def read() -> None:
        try:
            ends.link.receive(1, soon())
        except LinkLost as error:
            lost.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    ends.link.kill()
    thread.join(PATIENCE / 2)
    assert len(lost) == 1
    ends.link.kill()
    assert ends.removed == ["a" * 64]


def test_an_engine_that_does_not_remove_is_told_of_and_asked_again(
    ends: Ends, caplog: pytest.LogCaptureFixture
) -> None:
    ends.fault = OSError("no\nanswer")
    ends.link.kill()
    assert ends.engine.recv(1) == b"", "the box's standard input has ended all the same"
    assert "could not be removed: no answer" in caplog.text
    ends.fault = None
    ends.link.kill()
    ends.link.kill()
    assert len(ends.removed) == 2


def test_a_link_with_a_high_descriptor_is_alive_until_the_engine_hangs_up(ends: Ends) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2_000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (2_000, hard))
    high = os.dup2(ends.link._socket.fileno(), 1_500)  # noqa: SLF001 -- there is no other way to its number
    ends.link._socket.close()  # noqa: SLF001 -- as above
    link = Attached("docker", "a", socket.socket(fileno=high), lambda _: None)
    assert link.alive()
    ends.engine.close()
    assert not link.alive()
    link.abandon()
    assert not link.alive()


def test_a_forked_child_closes_its_end_and_kills_nothing(ends: Ends) -> None:
    said, says = os.pipe()
    child = os.fork()
    if not child:
        os.write(says, b"y" if not ends.link.alive() and not ends.removed else b"n")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(said, 1) == b"y"
    os.close(said)
    os.close(says)
    assert ends.link.alive()
    ends.say(1, b"on")
    assert ends.link.receive(2, soon()) == b"on"
