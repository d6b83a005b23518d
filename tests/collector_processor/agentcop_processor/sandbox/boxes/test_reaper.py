"""Boxes whose call is over: all are killed, several at a time, and nobody who brings one waits for an engine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

import pytest

from agentcop_processor.sandbox.boxes import reaper as reapers
from agentcop_processor.sandbox.boxes.reaper import AT_ONCE, Reaper
from exporting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

AMPLE = 20.0


class Box:
    """A box that an engine removes once it `may` be."""

    def __init__(self, may: threading.Event) -> None:
        self.may = may
        self.killing = threading.Event()
        self.killed_by: list[int] = []

    def close(self) -> None:
        self.killing.set()
        self.may.wait(AMPLE)
        self.killed_by.append(threading.get_ident())


@pytest.fixture
def reaper() -> Iterator[Reaper]:
    made = Reaper()
    yield made
    made.close()


@pytest.fixture
def engine() -> Iterator[threading.Event]:
    """Set: the engine works again."""
    event = threading.Event()
    yield event
    event.set()


def take(reaper: Reaper, engine: threading.Event, count: int = 1) -> list[Box]:
    boxes = [Box(engine) for _ in range(count)]
    for box in boxes:
        reaper.take(cast("Any", box))
    return boxes


def test_a_box_that_an_engine_is_slow_with_does_not_hold_up_the_next(reaper: Reaper, engine: threading.Event) -> None:
    (slow,) = take(reaper, engine)
    assert slow.killing.wait(AMPLE)
    working = threading.Event()
    working.set()
    (next_one,) = take(reaper, working)
    until(lambda: len(next_one.killed_by) == 1)
    assert (slow.killed_by, reaper.left()) == ([], 1)


def test_no_more_are_killed_at_a_time_than_the_limit_and_none_is_forgotten(
    reaper: Reaper, engine: threading.Event
) -> None:
    boxes = take(reaper, engine, AT_ONCE + 5)
    until(lambda: sum(box.killing.is_set() for box in boxes) == AT_ONCE)
    assert reaper.left() == AT_ONCE + 5
    engine.set()
    until(lambda: all(len(box.killed_by) == 1 for box in boxes))
    assert len({box.killed_by[0] for box in boxes}) <= AT_ONCE
    until(lambda: reaper.left() == 0)


def test_how_many_are_left_is_said_where_they_pile_up(
    reaper: Reaper, engine: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    take(reaper, engine, 40)
    assert [record.args for record in caplog.records] == [(16,), (32,)]


def test_whoever_waits_for_fewer_is_told_once_they_are(reaper: Reaper, engine: threading.Event) -> None:
    take(reaper, engine, 3)
    assert not reaper.settled(3, 0.0)
    threading.Timer(0.05, engine.set).start()
    assert reaper.settled(1, AMPLE)


def test_one_that_comes_after_the_end_is_killed_by_whoever_brings_it(reaper: Reaper, engine: threading.Event) -> None:
    reaper.close()
    engine.set()
    (late,) = take(reaper, engine)
    assert late.killed_by == [threading.get_ident()]


def test_one_that_comes_after_the_end_holds_nobody_else_up(reaper: Reaper, engine: threading.Event) -> None:
    reaper.close()
    late = threading.Thread(target=take, args=(reaper, engine))
    late.start()
    left = threading.Thread(target=reaper.left)
    left.start()
    left.join(AMPLE / 2)
    assert not left.is_alive(), "its lock is held while an engine is asked"
    engine.set()
    late.join(AMPLE)


def test_where_no_thread_can_be_started_the_box_is_killed_all_the_same(
    reaper: Reaper, engine: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_room)
    engine.set()
    (box,) = take(reaper, engine)
    assert (box.killed_by, reaper.left()) == ([threading.get_ident()], 0)


def test_its_threads_end_where_nothing_comes_and_begin_anew_where_something_does(
    reaper: Reaper, engine: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reapers, "_IDLE", 0.01)
    before = set(threading.enumerate())
    engine.set()
    for _ in range(2):
        (box,) = take(reaper, engine)
        until(lambda: len(box.killed_by) == 1)  # noqa: B023 -- waited for in this turn
        until(lambda: set(threading.enumerate()) <= before)
        assert reaper.left() == 0


def test_a_forked_child_kills_none_of_its_parents_and_reaps_its_own(reaper: Reaper, engine: threading.Event) -> None:
    take(reaper, engine)
    reaper.forget()
    assert reaper.left() == 0
    working = threading.Event()
    working.set()
    (own,) = take(reaper, working)
    until(lambda: len(own.killed_by) == 1)
