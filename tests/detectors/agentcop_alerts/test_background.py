from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from agentcop_alerts.background import Background

if TYPE_CHECKING:
    import pytest


def test_resting_waits_for_a_step_that_began_afterwards() -> None:
    seen: list[int] = []
    given: list[int] = []

    def step() -> float | None:
        seen.append(len(given))
        return None

    background = Background("test", step)
    for number in range(50):
        given.append(number)
        assert background.rest(10)
        assert seen[-1] == number + 1


def test_a_step_that_hangs_does_not_hold_up_who_waits_for_longer_than_they_said() -> None:
    go_on = threading.Event()

    def step() -> float | None:
        go_on.wait(60)
        return None

    background = Background("test", step)
    background.wake()
    assert not background.rest(0.05)
    go_on.set()
    assert background.rest(10)


def test_a_step_that_fails_is_logged_once_and_called_again(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def step() -> float | None:
        calls.append(1)
        raise OSError("disk")

    background = Background("test", step)
    with caplog.at_level(logging.ERROR, logger="agentcop"):
        assert background.rest(10)
        assert background.rest(10)
    background.end(10)

    assert len(calls) >= 2
    assert len(caplog.records) == 1


def test_a_step_may_ask_to_be_called_again() -> None:
    twice = threading.Event()
    calls: list[int] = []

    def step() -> float | None:
        calls.append(1)
        if len(calls) == 2:
            twice.set()
            return None
        return 0.01

    Background("test", step).wake()

    assert twice.wait(60)


def test_its_thread_ends_when_told_to_and_starts_again_when_woken() -> None:
    ran_in: list[threading.Thread] = []

    def step() -> float | None:
        ran_in.append(threading.current_thread())
        return None

    background = Background("test", step)
    for _ in range(2):
        assert background.rest(10)
        background.end(10)
        assert not ran_in[-1].is_alive()

    assert len(set(ran_in)) == 2


def test_who_wakes_it_while_it_ends_has_a_step_that_began_afterwards_and_never_two_at_once() -> None:
    running = threading.Lock()
    seen: list[int] = []
    given: list[int] = []

    def step() -> float | None:
        assert running.acquire(blocking=False)
        seen.append(len(given))
        running.release()
        return None

    background = Background("test", step)
    done = threading.Event()

    def end_it() -> None:
        while not done.is_set():
            background.end(10)

    ending = threading.Thread(target=end_it)
    ending.start()
    try:
        for number in range(300):
            given.append(number)
            assert background.rest(10)
            assert seen[-1] == number + 1
    finally:
        done.set()
        ending.join()
        background.end(10)


def test_a_thread_that_hangs_in_its_step_is_not_waited_for_and_no_second_steps_beside_it() -> None:
    go_on = threading.Event()
    began: list[threading.Thread] = []

    def step() -> float | None:
        began.append(threading.current_thread())
        go_on.wait(60)
        return None

    background = Background("test", step)
    background.wake()
    assert not background.rest(0.05)
    background.end(0)
    assert not background.rest(0.05)
    assert len(set(began)) == 1

    go_on.set()
    assert background.rest(10)
    background.end(10)
