from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_detectors.telling.digest import digests
from alerts import NOW
from telling import Told, found

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400.0


def test_each_agent_has_one_with_the_gravest_first_and_every_alert_is_counted(tmp_path: Path) -> None:
    told = Told(tmp_path, {})
    told.commit(
        *(found(number, check="new_tool", severity="medium", tool=f"t{number}") for number in range(40)),
        found(90, severity="critical"),
        found(91, severity="low", agent_id="other"),
    )
    told.store.mark_told(range(1, 43), "digest", NOW)

    assert digests(told.engine, NOW, ()) == []
    one, other = digests(told.engine, NOW + DAY, ())
    assert (one.alert.agent_id, one.alert.severity, len(one.refs)) == ("billing", "critical", 41)
    assert one.alert.evidence[0] == "1 times critical unenforced_call on search"
    assert one.alert.evidence[-1] == "… +21 of 21 other kinds"
    assert (other.alert.agent_id, other.alert.severity) == ("other", "low")
    assert [each.alert.agent_id for each in digests(told.engine, NOW + DAY, set(one.refs))] == ["other"]
    told.end()


def test_what_came_today_waits_for_tomorrow(tmp_path: Path) -> None:
    told = Told(tmp_path, {})
    told.commit(found(1), found(2))
    told.store.mark_told([1], "digest", NOW)
    told.store.mark_told([2], "digest", NOW + DAY)

    (digest,) = digests(told.engine, NOW + DAY + 1, ())
    assert digest.alert.reason.startswith("1 alert over the budget")
    told.end()
