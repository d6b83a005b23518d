"""From a notice to the messages that lie in the outbox, one for each channel; and what became of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from agentcop_alerts.item import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agentcop_alerts.channels import Route, Target
    from agentcop_alerts.outbox import Outbox
    from agentcop_alerts.rollup import Notice
    from agentcop_core.alert import Alert
    from agentcop_core.redact import Redactor

Outcome = Literal["spooled", "sent", "rolled_up", "digest", "nobody", "failed"]
"""`spooled`: the outbox has it, and sends it until it arrives. `sent`: a channel took it. `rolled_up`: a channel took
the message that counts it. `digest`: over the day's budget; nothing was sent. `nobody`: no channel takes it.
`failed`: a channel will not take it, or cannot be used."""


class Hears(Protocol):
    """Hears what became of alerts. Called from several threads; must neither raise nor block."""

    def __call__(self, refs: Sequence[str], outcome: Outcome) -> None:
        """`refs`: of `Enclosed`, those that are meant."""


class Permits(Protocol):
    """Says whether a notice may go out now. From one thread."""

    def __call__(self, alert: Alert, now: float) -> bool:
        """False: it is over a budget, and nothing is sent of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooling:
    """Writes notices into an outbox. One thread at a time; blocks on the disk, raises nothing of it."""

    outbox: Outbox
    environ: Mapping[str, str]
    say: Callable[[str, str], None]
    """Say something once: what it is about, and the text."""
    on_disk: Callable[[Callable[[], None]], bool]
    """Do it; False, and said, if the disk takes nothing."""
    keep: Callable[[Target, Item], None]
    """Send it from memory."""
    hears: Hears
    permits: Permits
    redactor: Redactor

    def spool(self, notice: Notice[Route], now: float) -> None:
        """One message for each channel that takes this severity."""
        alert = self._redacted(notice.alert)
        refs = notice.enclosed.refs
        targets = [target for target in notice.route.targets if target.accepts(alert)]
        if not targets:
            self.hears(refs, "nobody")
            return
        if not self.permits(alert, now):
            self.hears(refs, "digest")
            return
        usable = [target for target in targets if not self._unusable(target, notice, alert, now)]
        if not usable:
            self.hears(refs, "failed")
            return
        lost = 0
        for target in usable:
            item = self._item(target, notice, alert, now)
            taken: list[bool] = []
            if not self.on_disk(partial(self._put, item, taken)):
                self.keep(target, item)
            elif not all(taken):
                lost += 1
        self.hears(refs, "failed" if lost == len(usable) else "spooled")

    def _put(self, item: Item, taken: list[bool]) -> None:
        taken.append(self.outbox.put(item))
        if not taken[-1]:
            self.say(
                "full", f"agentcop: too many alerts wait in {self.outbox.folder}; further ones are lost and counted"
            )

    def _unusable(self, target: Target, notice: Notice[Route], alert: Alert, now: float) -> bool:
        obstacle = target.obstacle(self.environ)
        if obstacle:
            text = f"agentcop: alerts cannot be sent to {target.name}: {obstacle}"
            self.say(f"{target.key} {obstacle}", text)
            unsent = replace(self._item(target, notice, alert, now), reason=obstacle, settled=now)
            self.on_disk(partial(self.outbox.settle, "failed", unsent))
        return bool(obstacle)

    def _item(self, target: Target, notice: Notice[Route], alert: Alert, now: float) -> Item:
        hide, enclosed = self.redactor.redact_text, notice.enclosed
        return Item(
            id=f"{int(now * 1000):013d}-{os.getpid()}-{os.urandom(4).hex()}",
            alert=alert,
            thread=notice.thread,
            channel=target.key,
            channel_name=target.name,
            trace_link=notice.route.trace_link,
            page_link=notice.route.page_link,
            dashboard_link=notice.route.dashboard_link,
            runbook_link=notice.route.runbook_link,
            count=notice.count,
            repeat=notice.repeat,
            since=notice.since,
            note=hide(notice.note),
            timeline=tuple(hide(line) for line in enclosed.timeline),
            run=enclosed.run if target.channel.type == "email" else "",
            refs=enclosed.refs,
            created=now,
            not_before=notice.not_before,
        )

    def _redacted(self, alert: Alert) -> Alert:
        """Once more, whoever made it: what lies on disk and leaves the process has been through the redactor."""
        hide = self.redactor.redact_text
        return replace(
            alert,
            agent_id=hide(alert.agent_id),
            tool=hide(alert.tool),
            rule=hide(alert.rule),
            at=hide(alert.at),
            policy_version=hide(alert.policy_version),
            call_id=hide(alert.call_id),
            reason=hide(alert.reason),
            arguments=hide(alert.arguments),
            session_id=hide(alert.session_id),
            environment=hide(alert.environment),
            evidence=tuple(hide(line) for line in alert.evidence),
        )
