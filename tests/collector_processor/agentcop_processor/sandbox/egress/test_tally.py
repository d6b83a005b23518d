"""However many places a tool asks for, its host's log does not fill with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_processor.sandbox.egress.tally import Tally

if TYPE_CHECKING:
    import pytest


def test_what_is_asked_for_by_ever_new_names_is_counted_and_soon_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    now = 1_000.0
    tally = Tally(clock=lambda: now)
    for number in range(5_000):
        tally.turned_away(f"place-{number}.example:443", "not allowed")
    assert tally.refused == 5_000
    assert len(caplog.messages) == 241
    assert "240 lines within a minute" in caplog.messages[-1]


def test_the_next_minute_begins_with_how_many_lines_were_left_out(caplog: pytest.LogCaptureFixture) -> None:
    now = 1_000.0
    tally = Tally(clock=lambda: now)
    for number in range(300):
        tally.turned_away(f"place-{number}.example:443", "not allowed")
    caplog.clear()
    now += 61.0
    tally.turned_away("another.example:443", "not allowed")
    assert caplog.messages == [
        "sandbox egress: 60 lines about other places were left out",
        "sandbox egress: refused another.example:443: not allowed",
    ]
