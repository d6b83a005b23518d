from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_detectors.telling.routing import Routing, default_monitor
from alerts import EMAIL, SLACK
from policytext import policy
from telling import monitor_of

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_policies.policy import Policy


class One:
    """Knows the policy of billing."""

    def __init__(self, monitor: str) -> None:
        self._policy = policy(f"agent_id: billing\nmonitor: {monitor}\ngate: {{allow: [a]}}\n")

    def for_agent(self, agent_id: str) -> Policy | None:
        return self._policy if agent_id == "billing" else None


LINKS = "links: {trace: 'http://default/{trace_id}', runbook: 'http://wiki/{kind}'}"


def test_its_own_channels_come_first_and_its_own_links_over_the_defaults() -> None:
    own = One(f"{{alert_channels: [{EMAIL}], links: {{trace: 'http://own/{{trace_id}}'}}, max_alerts_per_day: 3}}")
    routing = Routing(own, monitor_of(SLACK, more=f"  {LINKS}\n"), "http://cop/runs/{trace_id}")

    route = routing.route("billing")
    assert [target.channel.type for target in route.targets] == ["email"]
    assert (route.trace_link, route.page_link) == ("http://own/{trace_id}", "http://cop/runs/{trace_id}")
    assert routing.limit("billing") == 3


def test_without_channels_of_its_own_the_default_hears_of_it_under_its_own_budget() -> None:
    routing = Routing(One("{max_alerts_per_day: 3}"), monitor_of(SLACK, more=f"  {LINKS}\n"))

    route = routing.route("billing")
    assert [target.channel.type for target in route.targets] == ["slack"]
    assert (route.trace_link, route.runbook_link) == ("http://default/{trace_id}", "http://wiki/{kind}")
    assert routing.limit("billing") == 3
    assert routing.limit("unknown") == 20


def test_without_both_nobody_does() -> None:
    routing = Routing(One("{}"))

    assert routing.route("unknown").targets == ()
    assert routing.limit("unknown") == 20


def test_the_default_is_read_from_a_policy_file(tmp_path: Path) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text(f"agent_id: any\nmonitor: {{alert_channels: [{SLACK}]}}\ngate: {{allow: [a]}}\n")

    monitor = default_monitor(file)
    assert monitor is not None
    assert [channel.type for channel in monitor.alert_channels] == ["slack"]
