from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from agentcop_alerts.rollup import WINDOW, Notice, RollUp
from alerts import NOW, alert

if TYPE_CHECKING:
    from agentcop_core.alert import Alert


def fed(rollup: RollUp[str], *times: float, of: Alert | None = None) -> list[Notice[str]]:
    return [notice for when in times for notice in rollup.add(of or alert(), "route", when)]


def test_the_first_is_told_at_once_and_the_rest_of_its_window_with_a_count_at_the_end() -> None:
    rollup: RollUp[str] = RollUp()

    (first,) = fed(rollup, *(NOW + second for second in range(100)))

    assert (first.count, first.repeat) == (1, False)
    assert rollup.due(NOW + WINDOW - 1) == []
    (again,) = rollup.due(NOW + WINDOW)
    assert (again.count, again.repeat, again.thread) == (99, True, first.thread)


def test_as_long_as_it_goes_on_there_is_one_message_a_window() -> None:
    rollup: RollUp[str] = RollUp()
    sent = 0
    for second in range(int(WINDOW) * 4):
        sent += len(fed(rollup, NOW + second)) + len(rollup.due(NOW + second))

    assert sent == 4


def test_after_a_quiet_window_it_is_news_again() -> None:
    rollup: RollUp[str] = RollUp()
    fed(rollup, NOW)
    assert rollup.due(NOW + WINDOW) == []
    assert rollup.next_due() is None

    (first,) = fed(rollup, NOW + WINDOW + 1)

    assert not first.repeat


def test_a_rise_in_severity_breaks_through_and_a_fall_does_not() -> None:
    rollup: RollUp[str] = RollUp()
    fed(rollup, NOW, NOW + 1)

    (worse,) = rollup.add(alert(severity="critical"), "route", NOW + 2)

    assert (worse.alert.severity, worse.count, worse.repeat) == ("critical", 2, True)
    assert fed(rollup, NOW + 3) == []


def test_another_tool_is_another_message() -> None:
    rollup: RollUp[str] = RollUp()

    assert len(fed(rollup, NOW) + fed(rollup, NOW, of=alert(tool="other"))) == 2


def test_one_rule_on_five_agents_is_one_alert_that_names_them() -> None:
    rollup: RollUp[str] = RollUp()
    agents = [alert(agent_id=f"agent-{number:02}", tool=f"t{number}") for number in range(40)]

    notices = [notice for each in agents for notice in rollup.add(each, "route", NOW)]

    assert len(notices) == 5
    assert "fired on 5 agents" in notices[-1].note
    assert "agent-00, agent-01" in notices[-1].note
    (rolled,) = rollup.due(NOW + WINDOW)
    assert "fired on 40 agents" in rolled.note
    assert rolled.note.endswith("… +20")


def test_agents_that_stopped_ten_minutes_ago_are_no_longer_counted() -> None:
    rollup: RollUp[str] = RollUp()
    notices = [
        notice
        for number in range(10)
        for notice in rollup.add(alert(agent_id=f"agent-{number}"), "route", NOW + number * 200)
    ]

    assert [notice.note for notice in notices if notice.note] == []


def test_a_storm_of_different_tools_becomes_one_message_and_then_a_count() -> None:
    rollup: RollUp[str] = RollUp()
    notices = [
        notice for number in range(5_000) for notice in rollup.add(alert(tool=f"made-up-{number}"), "route", NOW)
    ]

    assert len(notices) == 31
    (rolled,) = rollup.due(NOW + WINDOW)
    assert (rolled.count, rolled.repeat) == (5_000 - 31, True)


def test_what_an_earlier_process_sent_is_not_told_again() -> None:
    rollup: RollUp[str] = RollUp()
    rollup.seed(Notice(alert=alert(), route="route", thread=alert().fingerprint), NOW)

    assert fed(rollup, NOW + 10) == []
    (left,) = rollup.close()
    assert (left.count, left.not_before) == (1, NOW + WINDOW)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c", "d", "e", "f"]),
            st.sampled_from(["x", "y"]),
            st.sampled_from(["low", "high", "critical"]),
            st.floats(0, 400),
        ),
        max_size=120,
    )
)
def test_every_alert_is_counted_in_exactly_one_message(events: list[tuple[str, str, str, float]]) -> None:
    rollup: RollUp[str] = RollUp()
    now, told = NOW, 0
    for agent, tool, severity, pause in events:
        now += pause
        notices = rollup.add(alert(agent_id=agent, tool=tool, severity=severity), "route", now)
        told += sum(notice.count for notice in (*notices, *rollup.due(now)))
    told += sum(notice.count for notice in rollup.close())

    assert told == len(events)
