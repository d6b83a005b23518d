"""One message to one channel, once: secrets are filled in here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from agentcop_alerts.sinks.outcome import SendFailed
from agentcop_alerts.wording import worded
from agentcop_core.locks import IMPORTING
from agentcop_policies.secrets import SecretUnset, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_alerts.channels import Target
    from agentcop_alerts.item import Item
    from agentcop_alerts.threads import Threads


def send(item: Item, target: Target, environ: Mapping[str, str], threads: Threads | None = None) -> None:
    """Send `item` to the channel of `target`. Blocks for at most ten seconds a step; raises SendFailed, nothing else.

    `threads`: where a channel that has threads is told what belongs together; None: each message stands alone.

    Each sink is imported when it is first used: an agent that blocks nothing loads none.
    """
    if obstacle := target.obstacle(environ):
        raise SendFailed(obstacle, final=True)
    try:
        _send(item, target, environ, threads)
    except SendFailed:
        raise
    except SecretUnset as error:
        raise SendFailed(str(error), final=True) from None
    except Exception as error:
        # Its words may hold an address with a token in it.
        raise SendFailed(f"a fault of ours while sending ({type(error).__name__})", final=True) from None


def _send(item: Item, target: Target, environ: Mapping[str, str], threads: Threads | None) -> None:
    channel = target.channel
    message = worded(item, environ)
    match channel.type:
        case "slack" if channel.token is not None:
            with IMPORTING:
                from agentcop_alerts.sinks import slack_bot

            root = threads.root(target.key, item.thread) if threads is not None else None
            to = resolve(channel.channel or "", environ)
            root = slack_bot.send(resolve(channel.token, environ), to, message, root, environ)
            if threads is not None:
                threads.put(target.key, item.thread, root)
        case "slack":
            with IMPORTING:
                from agentcop_alerts.sinks import slack

            slack.send(resolve(channel.webhook or "", environ), message)
        case "webhook":
            with IMPORTING:
                from agentcop_alerts.sinks import webhook

            webhook.send(resolve(channel.url or "", environ), item, message)
        case "email":
            with IMPORTING:
                from agentcop_alerts.sinks import mail
                from agentcop_alerts.sinks.smtp_server import smtp_server

            people = tuple(resolve(address, environ) for address in channel.to)
            sender = resolve(channel.from_ or "", environ)
            mail.send(smtp_server(environ), mail.compose(item, message, to=people, sender=sender))
        case _:
            assert_never(channel.type)
