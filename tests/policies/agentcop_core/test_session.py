"""A session's memory is exact, bounded and safe to share between threads."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

from agentcop_core.session import Observed, Session


def test_calls_refusals_and_held_calls_are_counted_apart() -> None:
    session = Session("s1", user="ann")
    for tool in ("search", "search", "mail"):
        session.count_call(tool)
    session.count_refusal()
    session.count_held()
    session.count_held()

    assert session.counters() == {"calls": 3, "refused": 1, "held": 2, "calls_by_tool": {"search": 2, "mail": 1}}
    assert (session.id, session.user) == ("s1", "ann")


def test_counters_are_a_copy() -> None:
    session = Session("s1")
    session.count_call("search")
    counters = session.counters()
    counters["calls_by_tool"]["search"] = 99  # type: ignore[index]

    assert session.counters()["calls_by_tool"] == {"search": 1}


def test_a_flood_of_tool_names_is_bounded_and_known_tools_still_count() -> None:
    session = Session("s1")
    for number in range(5_000):
        session.count_call(f"tool{number}")
    session.count_call("tool0")
    by_tool = session.counters()["calls_by_tool"]

    assert len(by_tool) == 1_000  # type: ignore[arg-type]
    assert by_tool["tool0"] == 2  # type: ignore[index]
    assert session.counters()["calls"] == 5_001


def test_the_last_64_observations_are_kept_in_order_and_the_rest_is_counted() -> None:
    session = Session("s1")
    for number in range(70):
        session.observe(Observed(kind="user", text=str(number)))

    assert [seen.text for seen in session.observed()] == [str(number) for number in range(6, 70)]
    assert session.cut == 6


def test_a_long_observation_is_cut_and_counted_and_keeps_its_source() -> None:
    session = Session("s1")
    session.observe(Observed(kind="tool_result", text="x" * 20_000, tool="read"))
    (seen,) = session.observed()

    assert (seen.kind, seen.tool, len(seen.text)) == ("tool_result", "read", 16_384)
    assert session.cut == 1


def test_an_observation_of_exactly_the_limit_is_whole() -> None:
    session = Session("s1")
    session.observe(Observed(kind="user", text="x" * 16_384))

    assert session.cut == 0


def test_no_count_is_lost_between_threads() -> None:
    session = Session("s1")

    def work(_: int) -> None:
        for _ in range(500):
            session.count_call("search")
            session.count_refusal()
            session.observe(Observed(kind="user", text="x"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    assert session.counters()["calls"] == 4_000
    assert session.counters()["refused"] == 4_000
    assert session.cut + len(session.observed()) == 4_000


def test_a_finaliser_may_count_in_the_middle_of_a_look_at_the_counters() -> None:
    session = Session("s1")

    class Dying:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            session.count_call("late")

    def look() -> None:
        usual = gc.get_threshold()
        try:
            for allocations in range(8):
                gc.disable()
                gc.collect()  # clears the free lists, too: only a fresh dict counts as an allocation
                Dying()
                gc.set_threshold(gc.get_count()[0] + allocations)
                gc.enable()
                session.counters()
        finally:
            gc.set_threshold(*usual)
            gc.enable()

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    looking.join(120)
    assert not looking.is_alive()
