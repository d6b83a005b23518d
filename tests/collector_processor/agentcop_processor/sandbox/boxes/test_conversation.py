"""The host's side of what is said with a box: what is no answer ends it, and costs no more than allowed."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_processor.sandbox.boxes.conversation import Box
from agentcop_processor.sandbox.engine import LinkLost
from agentcop_processor.sandbox.settings import Settings

if TYPE_CHECKING:
    from agentcop_processor.sandbox.engine import EngineName

SETTINGS = Settings(max_result=100, max_stdout=50)


class Scripted:
    """A link whose box says what is scripted."""

    id = "scripted"
    engine: EngineName = "process"

    def __init__(self, said: bytes) -> None:
        self.said = said
        self.sent = b""
        self.asked = 0
        self.killed = 0

    def send(self, data: bytes, deadline: float) -> None:
        self.sent += data

    def receive(self, size: int, deadline: float) -> bytes:
        self.asked = max(self.asked, size)
        if len(self.said) < size:
            raise LinkLost("it has ended")
        data, self.said = self.said[:size], self.said[size:]
        return data

    def stderr(self) -> str:
        return ""

    def alive(self) -> bool:
        return True

    def abandon(self) -> None:
        self.said = b""

    def kill(self) -> None:
        self.killed += 1


def frame(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def done(**parts: object) -> bytes:
    message = {
        "op": "done",
        "status": "ok",
        "exit": 0,
        "ms": 1.5,
        "stdout_cut": 3,
        "stderr_cut": 4,
        "frames": 3,
        **parts,
    }
    return frame(json.dumps(message).encode())


def test_a_call_sends_its_arguments_and_gives_the_boxs_answer() -> None:
    link = Scripted(done() + frame(b'{"value":1}') + frame(b"out") + frame(b"err"))
    reply = Box(link, SETTINGS).call(b'{"args":[],"kwargs":{}}', 5.0)
    assert (reply.result, reply.stdout, reply.stderr, reply.cut) == (b'{"value":1}', b"out", b"err", 7)
    assert link.sent.endswith(frame(b'{"args":[],"kwargs":{}}'))


@pytest.mark.parametrize(
    "said",
    [
        done() + frame(b"x" * 101) + frame(b"") + frame(b""),
        done() + frame(b"") + frame(b"x" * 51) + frame(b""),
        frame(b"x" * 70_000),
        struct.pack(">I", 0xFFFFFFFF),
        done(status="fine") + frame(b"") * 3,
        done(status=None) + frame(b"") * 3,
        done(op="ready") + frame(b"") * 3,
        frame(b"[]"),
        frame(b"no json"),
        b"",
    ],
    ids=["result", "output", "message", "length", "status", "none", "other", "list", "text", "nothing"],
)
def test_what_is_no_answer_ends_it_and_no_more_is_read_than_may_come(said: bytes) -> None:
    link = Scripted(said)
    with pytest.raises(LinkLost):
        Box(link, SETTINGS).call(b"{}", 5.0)
    assert link.asked <= 65_536


@given(st.binary(max_size=200))
def test_whatever_a_box_says_is_an_answer_or_the_end(said: bytes) -> None:
    with pytest.raises(LinkLost):
        Box(Scripted(said), SETTINGS).open(None, egress=False)


@pytest.mark.parametrize("status", [[], {}, None, 1, "refused", ["ok"]])
def test_a_status_that_is_none_ends_it(status: object) -> None:
    link = Scripted(done(status=status) + frame(b"") * 3)
    with pytest.raises(LinkLost):
        Box(link, SETTINGS).call(b"{}", 1.0)


@pytest.mark.parametrize("part", ["ms", "exit", "stdout_cut", "stderr_cut"])
@pytest.mark.parametrize(
    "value", [10**400, -(10**400), "1", None, [], True], ids=["large", "small", "text", "none", "list", "bool"]
)
def test_a_number_that_is_none_is_no_fault_of_the_hosts(part: str, value: object) -> None:
    reply = Box(Scripted(done(**{part: value}) + frame(b"") * 3), SETTINGS).call(b"{}", 1.0)
    assert len(f"{reply.ms} {reply.exit} {reply.cut}") < 100


def test_facts_that_are_none_are_not_taken() -> None:
    with pytest.raises(LinkLost, match="what it is"):
        Box(Scripted(frame(b'{"op":"ready","facts":[]}')), SETTINGS).open(None, egress=False)


def test_a_box_that_served_a_call_serves_the_next_once_it_says_that_nothing_is_left_of_it() -> None:
    link = Scripted((done() + frame(b"") * 3 + frame(b'{"op":"clean"}')) * 2)
    box = Box(link, SETTINGS)
    box.cleaned()
    assert link.asked == 0
    box.call(b"{}", 1.0)
    box.cleaned()
    box.call(b"{}", 1.0)
    assert link.said == frame(b'{"op":"clean"}')


@pytest.mark.parametrize("said", [b"", frame(b'{"op":"dirty"}'), frame(b"[]")])
def test_a_box_that_does_not_say_so_serves_no_other(said: bytes) -> None:
    link = Scripted(done() + frame(b"") * 3 + said + done() + frame(b"") * 3)
    box = Box(link, SETTINGS)
    box.call(b"{}", 1.0)
    sent = link.sent
    with pytest.raises(LinkLost):
        box.call(b"{}", 1.0)
    assert link.sent == sent
