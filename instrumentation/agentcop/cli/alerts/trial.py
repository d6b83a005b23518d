"""One marked test alert through one channel, now, past the spool."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentcop_alerts.channels import Route, Target


def send_test_alert(target: Target, route: Route, agent_id: str, environment: str) -> str:
    """Why the channel did not take a test alert; "" if it did."""
    from agentcop_alerts.item import Item
    from agentcop_alerts.sinks.outcome import SendFailed
    from agentcop_alerts.sinks.send import send
    from agentcop_core.alert import Alert

    now = time.time()
    alert = Alert(
        kind="test",
        severity="low",
        agent_id=agent_id,
        reason="agentcop alerts test",
        environment=environment,
        time=now,
    )
    item = Item(
        id=f"{int(now * 1000):013d}-{os.getpid()}-{os.urandom(4).hex()}",
        alert=alert,
        thread=alert.fingerprint,
        channel=target.key,
        channel_name=target.name,
        trace_link=route.trace_link,
        created=now,
    )
    try:
        send(item, target, os.environ)
    except SendFailed as failed:
        return failed.reason
    return ""
