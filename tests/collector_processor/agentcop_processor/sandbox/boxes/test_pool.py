"""Warm boxes: who gets which, how many wait, and that none is left."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from agentcop_processor.sandbox.boxes import pool as pools
from agentcop_processor.sandbox.boxes.pool import Kind, Pool, Waiting
from agentcop_processor.sandbox.egress.way_out import egress_for
from agentcop_processor.sandbox.parcel import Parcel
from agentcop_processor.sandbox.settings import Settings
from exporting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KIND = Kind(settings=Settings(pool=2), mounts=())
SEARCH, REFUND = Parcel(module="tools", name="search"), Parcel(module="tools", name="refund")


class Box:
    """What a pool knows of a box: that it can be closed, and let go."""

    def __init__(self) -> None:
        self.closed = 0
        self.link = self
        self.abandoned = 0

    def close(self) -> None:
        self.closed += 1

    def abandon(self) -> None:
        self.abandoned += 1


class Maker:
    def __init__(self) -> None:
        self.made: list[tuple[Box, Kind, Parcel]] = []
        self.fails = False

    def __call__(self, kind: Kind, parcel: Parcel) -> Any:
        if self.fails:
            raise OSError("no engine")
        self.made.append((Box(), kind, parcel))
        return self.made[-1][0]


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def pool(maker: Maker) -> Iterator[Pool]:
    made = Pool(maker, clock=lambda: NOW[0])
    NOW[0] = 0.0
    yield made
    made.close()


NOW = [0.0]


def put(pool: Pool, *, kind: Kind = KIND, parcel: Parcel = SEARCH) -> Box:
    box = Box()
    pool.put(Waiting(kind=kind, box=cast("Any", box), parcel=parcel, since=NOW[0]))
    return box


def test_an_empty_pool_gives_nothing(pool: Pool) -> None:
    assert pool.take(KIND, SEARCH) is None


def test_the_box_that_has_the_tool_loaded_is_given(pool: Pool) -> None:
    put(pool, parcel=REFUND)
    loaded = put(pool, parcel=SEARCH)
    taken = pool.take(KIND, SEARCH)
    assert taken is not None
    assert cast("Any", taken.box) is loaded


def test_a_box_with_another_tool_or_of_another_kind_is_not_given(pool: Pool) -> None:
    put(pool, parcel=REFUND)
    put(pool, kind=replace(KIND, settings=Settings(network="none")), parcel=SEARCH)
    assert pool.take(KIND, SEARCH) is None


def test_a_box_is_given_once(pool: Pool) -> None:
    put(pool, parcel=SEARCH)
    assert pool.take(KIND, SEARCH) is not None
    assert pool.take(KIND, SEARCH) is None


def test_it_is_filled_to_what_the_policy_says_and_not_beyond(pool: Pool, maker: Maker) -> None:
    pool.refill(KIND, SEARCH)
    pool.refill(KIND, SEARCH)
    until(lambda: pool.counts() == (2, 0))
    pool.refill(KIND, SEARCH)
    until(lambda: pool.take(KIND, SEARCH) is not None)
    assert len(maker.made) == 2


def test_a_box_made_beforehand_lets_the_call_go_first_and_a_pool_that_is_closed_waits_for_none(
    pool: Pool, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "_HEAD_START", 3600.0)
    pool.refill(KIND, SEARCH)
    assert (maker.made, pool.counts()) == ([], (0, 2))
    pool.close()
    until(lambda: pool.counts() == (0, 0))
    assert maker.made == []


def test_a_box_that_cannot_be_made_is_said_and_tried_again_at_the_next_call(
    pool: Pool, maker: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    maker.fails = True
    pool.refill(KIND, SEARCH)
    until(lambda: caplog.text.count("no box could be made ready") == 2)
    maker.fails = False
    until(lambda: pool.counts() == (0, 0))
    pool.refill(KIND, SEARCH)
    until(lambda: pool.counts() == (2, 0))
    assert len(maker.made) == 2


def test_a_box_whose_proxy_is_put_away_as_the_program_ends_is_no_news(
    pool: Pool, maker: Maker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    proxy = egress_for(KIND.settings, tmp_path)
    assert proxy is not None
    kind = replace(KIND, way_out=proxy)
    maker.fails = True
    pool.refill(kind, SEARCH)
    until(lambda: caplog.text.count("no box could be made ready") == 2)
    proxy.close()
    pool.refill(kind, SEARCH)
    until(lambda: pool.counts() == (0, 0))
    assert caplog.text.count("no box could be made ready") == 2


def test_what_waits_is_bounded_and_the_oldest_goes_first(pool: Pool) -> None:
    boxes = [put(pool) for _ in range(20)]
    assert [box.closed for box in boxes] == [1] * 4 + [0] * 16


def test_a_box_that_waited_too_long_is_thrown_away(pool: Pool) -> None:
    box = put(pool, parcel=SEARCH)
    NOW[0] = 601.0
    assert pool.take(KIND, SEARCH) is None
    assert box.closed == 1


def test_a_box_that_waited_too_long_is_thrown_away_though_nobody_comes_for_it(
    pool: Pool, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "_LOOK", 0.01)
    pool.refill(KIND, SEARCH)
    until(lambda: pool.counts() == (2, 0))
    NOW[0] = 601.0
    until(lambda: pool.counts() == (0, 0))
    until(lambda: [box.closed for box, _, _ in maker.made] == [1, 1])
    assert pool.take(KIND, SEARCH) is None


def test_a_tool_gets_its_boxes_though_those_of_another_are_being_made(pool: Pool, maker: Maker) -> None:
    pool.refill(KIND, SEARCH)
    pool.refill(KIND, REFUND)
    until(lambda: pool.counts() == (4, 0))
    assert [parcel for _, _, parcel in maker.made] == [SEARCH] * 2 + [REFUND] * 2


def test_no_more_boxes_are_made_than_may_wait(pool: Pool, maker: Maker) -> None:
    pool.refill(replace(KIND, settings=Settings(pool=1_000)), SEARCH)
    until(lambda: pool.counts() == (16, 0))
    assert len(maker.made) == 16


def test_where_no_thread_can_be_started_none_is_made_and_the_next_call_asks_again(
    pool: Pool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as no_threads:
        no_threads.setattr(threading.Thread, "start", no_room)
        pool.refill(KIND, SEARCH)
    assert pool.counts() == (0, 0)
    assert "can't start new thread" in caplog.text
    pool.refill(KIND, SEARCH)
    until(lambda: pool.counts() == (2, 0))


def test_what_is_not_needed_any_more_is_handed_on_to_be_killed(maker: Maker) -> None:
    ended: list[Box] = []
    pool = Pool(maker, clock=lambda: NOW[0], end=lambda box: ended.append(cast("Any", box)))
    NOW[0] = 0.0
    stale = put(pool)
    NOW[0] = 601.0
    pool.take(KIND, SEARCH)
    many = [put(pool) for _ in range(17)]
    pool.close()
    assert ended == [stale, *many]
    assert not any(box.closed for box in ended)


def test_a_box_that_comes_back_from_a_call_begins_to_wait_anew(pool: Pool) -> None:
    NOW[0] = 5_000.0  # a machine that has been up for longer than boxes wait
    box = Box()
    pool.put(Waiting(kind=KIND, box=cast("Any", box), parcel=SEARCH, since=0.0))
    assert pool.take(KIND, SEARCH) is not None
    assert box.closed == 0


def test_a_closed_pool_keeps_nothing_not_even_what_comes_later(pool: Pool) -> None:
    before = put(pool)
    pool.close()
    after = put(pool)
    assert (before.closed, after.closed) == (1, 1)


def test_a_forked_child_lets_go_of_the_parents_boxes_and_kills_none(pool: Pool) -> None:
    box = put(pool)
    pool.forget()
    assert (box.closed, box.abandoned, pool.take(KIND, SEARCH)) == (0, 1, None)


def test_two_threads_never_get_the_same_box(pool: Pool) -> None:
    for _ in range(16):
        put(pool)
    taken: list[int] = []
    lock = threading.Lock()

    def take() -> None:
        while (found := pool.take(KIND, SEARCH)) is not None:
            with lock:
                taken.append(id(found.box))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), len(set(taken))) == (16, 16)
