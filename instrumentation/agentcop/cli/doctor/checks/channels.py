"""Whether anybody hears of a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop.cli.alerts.trial import send_test_alert
from agentcop.cli.doctor.checks.found import ok, warning
from agentcop_alerts.channels import route_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop.cli.doctor.checks.found import Context, Found


def check(context: Context) -> Iterator[Found]:
    """Each channel of the policy: what is known against it, or with `send` whether it took a test alert."""
    policy = context.policy
    if policy is None:
        return
    route = route_of(policy.document.monitor)
    if not route.targets:
        yield warning("channels", "monitor.alert_channels names none: nobody hears of a block")
    for target in route.targets:
        why = target.obstacle(context.environ)
        if why:
            yield warning("channels", f"{target.name}: {why}")
        elif not context.send:
            yield ok("channels", f"{target.name}: not tried; --send sends a test alert")
        elif why := send_test_alert(target, route, policy.agent_id, policy.document.environment):
            yield warning("channels", f"{target.name} did not take a test alert: {why}")
        else:
            yield ok("channels", f"{target.name} took a test alert")
