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


def send(item: Item, target: Target, environ: Mapping[str, str]) -> None:
    """Send `item` to the channel of `target`. Blocks for at most ten seconds a step; raises SendFailed, nothing else.

    Each sink is imported when it is first used: an agent that blocks nothing loads none.
    """
    if obstacle := target.obstacle(environ):
        raise SendFailed(obstacle, final=True)
    try:
        _send(item, target, environ)
    except SendFailed:
        raise
    except SecretUnset as error:
        raise SendFailed(str(error), final=True) from None
    except Exception as error:
        # Its words may hold an address with a token in it.
        raise SendFailed(f"a fault of ours while sending ({type(error).__name__})", final=True) from None


def _send(item: Item, target: Target, environ: Mapping[str, str]) -> None:
    channel = target.channel
    message = worded(item, environ)
    match channel.type:
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

            to = tuple(resolve(address, environ) for address in channel.to)
            sender = resolve(channel.from_ or "", environ)
            mail.send(smtp_server(environ), mail.compose(item, message, to=to, sender=sender))
        case _:
            assert_never(channel.type)
