"""Alerts, and the channels they go to, for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agentcop_alerts.channels import route_of
from agentcop_alerts.item import Item
from agentcop_core.alert import Alert
from policytext import policy

if TYPE_CHECKING:
    from agentcop_alerts.channels import Route

NOW = 1_800_000_000.0

ALERT = Alert(
    kind="block",
    severity="high",
    agent_id="billing",
    tool="shell",
    rule="gate.block[0]",
    at="policy.yaml:4:10",
    reason='blocked by gate.block[0] ("shell")',
    arguments='{"cmd":"ls"}',
    session_id="s1",
    trace_id="0af7651916cd43dd8448eb211c80319c",
    call_id="c1",
    policy_version="7",
    environment="production",
    time=NOW,
)
"""A block like many."""

SLACK = "{type: slack, webhook: '${HOOK}'}"
BOT = "{type: slack, token: '${TOKEN}', channel: '#agents'}"
EMAIL = "{type: email, to: [sec@example.com, ops@example.com], from: cop@example.com}"
WEBHOOK = "{type: webhook, url: '${URL}'}"


def alert(**changes: object) -> Alert:
    return replace(ALERT, **changes)  # type: ignore[arg-type]  # each test its own fields


def route(*channels: str, links: str = "") -> Route:
    """The route of a policy with these channels, as they are written in the file."""
    text = f"agent_id: billing\nmonitor:\n  alert_channels: [{', '.join(channels)}]\n"
    if links:
        text += f"  links: {{trace: '{links}'}}\n"
    return route_of(policy(text + "gate: {allow: [a]}\n").document.monitor)


def item(of: Alert = ALERT, **changes: object) -> Item:
    made = Item(
        id="1800000000000-1-aaaa",
        alert=of,
        thread=of.fingerprint,
        channel="k",
        channel_name="slack (monitor.alert_channels[0])",
        created=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # each test its own fields
