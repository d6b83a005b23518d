"""To whom a policy's alerts go, with its secrets still unexpanded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from agentcop_core.alert import rank
from agentcop_policies.secrets import unset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_core.alert import Alert
    from agentcop_policies.document.sections import Channel, Monitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One channel of a policy."""

    key: str
    """16 hex digits over what the policy says of it: how a spooled message finds it again. Holds no secret."""
    name: str
    """For people: `slack (monitor.alert_channels[0])`."""
    channel: Channel

    def accepts(self, alert: Alert) -> bool:
        """Whether the alert is severe enough; a test always is."""
        return alert.kind == "test" or rank(alert.severity) >= rank(self.channel.min_severity)

    def obstacle(self, environ: Mapping[str, str]) -> str:
        """Why nothing can be sent there from this process, in words; "" if nothing is known against it."""
        missing = unset("\n".join(_texts(self.channel)), environ)
        return "; ".join(f"${{{name}}} is not set in this environment" for name in missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The channels of one policy, and the page that its alerts point to."""

    targets: tuple[Target, ...]
    trace_link: str = ""
    """`monitor.links.trace`: holds `{trace_id}`; may hold `${VAR}`, as those below."""
    page_link: str = ""
    """`monitor.links.page`."""
    dashboard_link: str = ""
    """`monitor.links.dashboard`."""
    runbook_link: str = ""
    """`monitor.links.runbook`."""

    @property
    def key(self) -> str:
        """The same for routes with the same channels."""
        return " ".join(sorted(target.key for target in self.targets))

    @property
    def takes_files(self) -> bool:
        """Whether a channel can have a file beside its message."""
        return any(target.channel.type == "email" for target in self.targets)


def route_of(monitor: Monitor | None) -> Route:
    """The route that a policy's `monitor:` section asks for; without channels if it has none."""
    if monitor is None:
        return Route(targets=())
    targets = tuple(
        Target(key=_key(channel), name=f"{channel.type} (monitor.alert_channels[{index}])", channel=channel)
        for index, channel in enumerate(monitor.alert_channels)
    )
    links = monitor.links
    if links is None:
        return Route(targets=targets)
    return Route(
        targets=targets,
        trace_link=links.trace or "",
        page_link=links.page or "",
        dashboard_link=links.dashboard or "",
        runbook_link=links.runbook or "",
    )


def _texts(channel: Channel) -> list[str]:
    single = (channel.webhook, channel.token, channel.channel, channel.from_, channel.url)
    return [text for text in (*single, *channel.to) if text is not None]


def _key(channel: Channel) -> str:
    said = [
        f"{field.name}={getattr(channel, field.name)!r}" for field in fields(channel) if field.name != "min_severity"
    ]
    return hashlib.sha256("\n".join(said).encode("utf-8", "backslashreplace")).hexdigest()[:16]
