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
