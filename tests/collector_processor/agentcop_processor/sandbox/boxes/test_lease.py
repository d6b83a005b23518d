"""One box for one call: what does not travel is refused before anything is said to the box, which then ends."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any, Never, cast

import pytest

from agentcop_processor.sandbox.boxes.conversation import Box
from agentcop_processor.sandbox.boxes.lease import Lease, Once, Refused, Room
from agentcop_processor.sandbox.boxes.pool import Kind, Waiting
from agentcop_processor.sandbox.boxes.runner import prepare
from agentcop_processor.sandbox.inside.wire.frames import MAX_FRAME
from agentcop_processor.sandbox.parcel import Parcel
from agentcop_processor.sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = Settings(network="none")
AMPLE = 20.0
PARCEL = Parcel(module="tools", name="search")


class Link:
    """To a box that nothing may be said to."""

    id, engine = "box", "docker"

    def __init__(self) -> None:
        self.killed = 0

    def send(self, data: bytes, deadline: float) -> Never:
        raise AssertionError(f"{len(data)} bytes were sent")

    def kill(self) -> None:
        self.killed += 1


class Told:
    """Whether the call is over, and what became of its box."""

    def __init__(self) -> None:
        self.room = 0
        self.back: list[bool] = []

    def over(self) -> None:
        self.room += 1

    def give_back(self, _: Waiting, again: bool) -> None:
        self.back.append(again)


def lease(link: Link, told: Told) -> Lease:
    box = Box(cast("Any", link), SETTINGS)
    waiting = Waiting(kind=Kind(settings=SETTINGS, mounts=()), box=box, parcel=PARCEL)
    give_back: Callable[[Waiting, bool], None] = told.give_back
    return Lease(waiting, give_back, Once(told.over))


@pytest.mark.parametrize("argument", [object(), "x" * MAX_FRAME])
def test_arguments_that_cannot_travel_are_refused_and_the_box_is_killed(argument: object) -> None:
    link, told = Link(), Told()
    had = lease(link, told)
    with pytest.raises(Refused, match="its arguments cannot travel into a box"):
        had.run("search", (argument,), {})
    assert (link.killed, told.room, told.back, had.ended) == (1, 1, [], True)


def test_a_tool_whose_text_is_longer_than_a_box_takes_is_refused() -> None:
    box = Box(cast("Any", Link()), SETTINGS)
    with pytest.raises(Refused, match="longer than a box takes"):
        prepare(box, SETTINGS, Parcel(module="tools", name="search", source="x" * MAX_FRAME))


def test_a_call_that_is_over_is_not_ended_twice() -> None:
    link, told = Link(), Told()
    had = lease(link, told)
    had.close()
    had.close()
    assert (link.killed, told.room) == (1, 1)


def test_an_interrupted_kill_gives_the_calls_place_back_all_the_same() -> None:
    class Interrupted(Link):
        def kill(self) -> None:
            raise KeyboardInterrupt

    told = Told()
    with pytest.raises(KeyboardInterrupt):
        lease(Interrupted(), told).close()
    assert told.room == 1


def test_a_call_whose_caller_forgot_it_gives_its_place_and_its_box_back() -> None:
    told = Told()
    lease(Link(), told)
    gc.collect()
    assert told.back == [False]


def test_a_place_is_free_again_once_it_is_left_also_in_the_middle_of_taking_one() -> None:
    room = Room(1)
    assert room.enter(0.0)
    assert not room.enter(0.01)
    threading.Timer(0.05, room.leave).start()
    assert room.enter(AMPLE)
    with room._lock:  # noqa: SLF001 -- where a finaliser may run
        room.leave()
        assert room.enter(0.0)
