"""Who hears of an agent's alerts, and how many of them a day."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agentcop_alerts.channels import Route, route_of
from agentcop_detectors.telling.budget import DEFAULT
from agentcop_policies.loader import load_policy

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Protocol

    from agentcop_policies.document.sections import Monitor
    from agentcop_policies.policy import Policy

    class PolicyOf(Protocol):
        """Knows the policies of agents."""

        def for_agent(self, agent_id: str) -> Policy | None:
            """The policy of an agent; None if there is none."""


class Routing:
    """An agent's own policy says it, if it names a channel; else the default does."""

    def __init__(self, policies: PolicyOf, default: Monitor | None = None, page_link: str = "") -> None:
        """`default`: for agents without a policy that names a channel. `page_link`: our own page of a run."""
        self._policies = policies
        self._default = default
        self._page_link = page_link

    def route(self, agent_id: str) -> Route:
        """The channels of an agent, without secrets; none if nobody named one."""
        monitor = self._monitor(agent_id)
        route = route_of(monitor if monitor is not None and monitor.alert_channels else self._default)
        if self._page_link and not route.page_link:
            route = replace(route, page_link=self._page_link)
        own = route_of(monitor)
        return replace(
            route,
            trace_link=own.trace_link or route.trace_link,
            page_link=own.page_link or route.page_link,
            dashboard_link=own.dashboard_link or route.dashboard_link,
            runbook_link=own.runbook_link or route.runbook_link,
        )

    def limit(self, agent_id: str) -> int:
        """Messages a day."""
        monitor = self._monitor(agent_id) or self._default
        return monitor.max_alerts_per_day if monitor is not None else DEFAULT

    def _monitor(self, agent_id: str) -> Monitor | None:
        policy = self._policies.for_agent(agent_id)
        return policy.document.monitor if policy is not None else None


def default_monitor(file: Path) -> Monitor | None:
    """The `monitor:` section of a policy file, as the default for agents that have no channels of their own.

    Raises PolicyError, OSError.
    """
    return load_policy(file).document.monitor
