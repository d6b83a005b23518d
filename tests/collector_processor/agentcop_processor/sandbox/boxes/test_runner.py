"""Boxes on their way to a call: none is left behind where something fails, and what one says of itself is only text."""

from __future__ import annotations

import json
import struct
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest

from agentcop_processor.sandbox.boxes import runner as runners
from agentcop_processor.sandbox.boxes.lease import Refused
from agentcop_processor.sandbox.boxes.pool import Kind, Waiting
from agentcop_processor.sandbox.boxes.runner import Runner, opened, prepare
from agentcop_processor.sandbox.engine import EngineDown, LinkLost
from agentcop_processor.sandbox.parcel import Parcel
from agentcop_processor.sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = Settings(network="none")
KIND = Kind(settings=SETTINGS, mounts=())
PARCEL = Parcel(module="tools", name="search")
AMPLE = 20.0
ESCAPE = "\x1b]0;owned\x07"


class Link:
    """A box that says `said`, and then nothing."""

    id, engine = "box", "docker"

    def __init__(self, said: bytes = b"", why: str = "") -> None:
        self.said = said
        self.why = why
        self.killed = 0
        self.lives = True

    def send(self, data: bytes, deadline: float) -> None:
        pass

    def receive(self, size: int, deadline: float) -> bytes:
        if len(self.said) < size:
            raise LinkLost("the box has ended")
        piece, self.said = self.said[:size], self.said[size:]
        return piece

    def stderr(self) -> str:
        return self.why

    def alive(self) -> bool:
        return self.lives

    def kill(self) -> None:
        self.killed += 1


class Engine:
    """Starts that one box."""

    name = "docker"

    def __init__(self, link: Link) -> None:
        self.link = link

    def start(self, *_: object) -> Any:
        return self.link

    def expected(self, _: object) -> dict[str, object]:
        return {}


def ready(**facts: object) -> bytes:
    data = json.dumps({"op": "ready", "facts": facts}).encode()
    return struct.pack(">I", len(data)) + data


@pytest.mark.parametrize("link", [Link(ready(uid=ESCAPE, interfaces=[ESCAPE])), Link(why=ESCAPE)])
def test_what_a_box_that_does_not_hold_says_reaches_no_terminal(link: Link) -> None:
    with pytest.raises(EngineDown) as down:
        opened(cast("Any", Engine(link)), KIND)
    assert "owned" in str(down.value)
    assert "\x1b" not in str(down.value)
    assert link.killed == 1


class Box:
    """A box in a pool, which may break when the tool is loaded."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.link = Link()
        self.closed = 0

    def prepare(self, _: bytes) -> None:
        if self.error is not None:
            raise self.error

    def cleaned(self) -> None:
        pass

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def runner(agentcop_home: Path) -> Iterator[Runner]:
    made = Runner(agentcop_home)
    yield made
    made.close()


def test_a_warm_box_that_is_gone_is_put_away_and_another_is_given(runner: Runner) -> None:
    gone, there = Box(), Box()
    gone.link.lives = False
    for box in (gone, there):
        runner._pool.put(Waiting(kind=KIND, box=cast("Any", box), parcel=PARCEL))  # noqa: SLF001 -- as a refill does
    lease = runner.lease(SETTINGS, PARCEL, "agent")
    assert lease._waiting.box is cast("Any", there)  # noqa: SLF001 -- which one it is
    lease.close()
    runner._reaper.close()  # noqa: SLF001 -- waits for it
    assert gone.closed == 1


def test_a_box_that_was_had_is_killed_where_the_next_cannot_be_ordered(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    box = Box()
    runner._pool.put(Waiting(kind=KIND, box=cast("Any", box), parcel=PARCEL))  # noqa: SLF001 -- as a refill does
    monkeypatch.setattr(runner._pool, "refill", no_room)  # noqa: SLF001 -- as above
    with pytest.raises((RuntimeError, Refused)):
        runner.lease(SETTINGS, PARCEL, "agent")
    runner._reaper.close()  # noqa: SLF001 -- waits for it
    assert box.closed == 1


def test_a_tool_has_answered_though_its_box_cannot_load_it_again(runner: Runner) -> None:
    settings = Settings(network="none", reuse="per_agent")
    box = Box()
    kind = Kind(settings=settings, mounts=(), agent="agent")
    runner._pool.put(Waiting(kind=kind, box=cast("Any", box), parcel=PARCEL))  # noqa: SLF001 -- as a refill does
    lease = runner.lease(settings, PARCEL, "agent")
    box.error = ValueError("no such value")
    lease._over(again=True)  # noqa: SLF001 -- as `run` does with the answer in its hand
    runner._reaper.close()  # noqa: SLF001 -- waits for it
    assert (box.closed, lease.ended) == (1, True)


def test_no_call_gets_a_box_while_too_many_dead_ones_cannot_be_removed(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runners, "MOST_LEFT", 3)
    monkeypatch.setattr(runners, "_TO_WAIT", 0.01)
    works = threading.Event()

    class Stuck(Box):
        def close(self) -> None:
            works.wait(AMPLE)
            super().close()

    for _ in range(3):
        runner._reaper.take(cast("Any", Stuck()))  # noqa: SLF001 -- as after three calls
    try:
        with pytest.raises(Refused, match="3 boxes of calls that are over could not be removed"):
            runner.lease(SETTINGS, PARCEL, "agent")
    finally:
        works.set()


def test_a_variable_that_is_not_set_is_said_once_and_not_at_each_box(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(network="none", env=("NOT_SET_IN_THIS_TEST",))
    for _ in range(2):
        prepare(cast("Any", Box()), settings, PARCEL)
    assert [record.args for record in caplog.records] == [("NOT_SET_IN_THIS_TEST",)]
