from __future__ import annotations

from agentcop_core.alert import fingerprint, rank
from alerts import alert


def test_the_fingerprint_is_of_rule_agent_and_tool_and_of_nothing_else() -> None:
    same = alert(arguments="{}", severity="critical", time=1.0, session_id="other")

    assert same.fingerprint == alert().fingerprint
    assert len({alert().fingerprint, *(alert(**{name: "x"}).fingerprint for name in ("rule", "agent_id", "tool"))}) == 4


def test_text_moved_from_one_part_to_the_next_is_another_fingerprint() -> None:
    assert fingerprint("ab", "c") != fingerprint("a", "bc")


def test_severities_are_in_order() -> None:
    assert rank("low") < rank("medium") < rank("high") < rank("critical")
