"""Whether each alert channel is whole: the keys of its type, addresses that can be addresses.

Looked at in the text as it stands, so that a channel whose type is wrong, or a policy with a problem elsewhere, hides
none of what else is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parseaddr
from typing import TYPE_CHECKING, Final

from agentcop_policies.reading.problems import quoted
from agentcop_policies.reading.tree import Items, Table, descend, plain, where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop_policies.reading.problems import Problems

_KEYS: Final = {
    "slack": ("webhook", "token", "app_token", "signing_secret", "channel"),
    "email": ("to", "from"),
    "webhook": ("url",),
}
_MAIL: Final = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
_MAX_MAIL: Final = 254

Said = tuple[tuple[str | int, ...], str]
"""Where in the channel, and what is wrong there."""


def check_channels(root: Table, problems: Problems) -> None:
    """Add what is wrong with the channels of `monitor.alert_channels`, beyond the shapes of their values."""
    channels = descend(root, "monitor", "alert_channels")
    if not isinstance(channels, Items):
        return
    for index, node in enumerate(channels.nodes):
        values = plain(node)
        if isinstance(node, Table) and isinstance(values, Mapping):
            for path, text in (*_of_its_type(values), *_addresses(values)):
                problems.add(where(root, ("monitor", "alert_channels", index, *path)), text)


def _of_its_type(values: Mapping[str, object]) -> Iterator[Said]:
    kind = values.get("type")
    own = _KEYS.get(kind) if isinstance(kind, str) else None
    if own is None:
        return
    for other, keys in _KEYS.items():
        for key in keys:
            if key not in own and values.get(key):
                yield (key,), f"{quoted(key)} belongs to type: {other}; a {kind} channel has {', '.join(own)}"
    if kind == "slack":
        if (values.get("webhook") is None) == (values.get("token") is None):
            yield ("type",), "a slack channel has either webhook, or token with channel"
        elif values.get("token") is not None and values.get("channel") is None:
            yield ("token",), "a slack channel with a token needs channel: where to post"
    elif kind == "email" and not values.get("to"):
        yield ("type",), "an email channel needs to"
    elif kind == "webhook" and values.get("url") is None:
        yield ("type",), "a webhook channel needs url"


def _addresses(values: Mapping[str, object]) -> Iterator[Said]:
    for key in ("webhook", "url"):
        value = values.get(key)
        if isinstance(value, str) and value and not value.startswith(("https://", "http://", "${")):
            yield (key,), f"{key} is an address: https://…, or ${{NAME}}"
    for path, text in _mails(values):
        if text and "${" not in text and not _is_mail(text):
            yield path, f"{quoted(text)} is no mail address: NAME@DOMAIN, or ${{NAME}}"


def _mails(values: Mapping[str, object]) -> Iterator[Said]:
    for key in ("to", "from"):
        value = values.get(key)
        if isinstance(value, str):
            yield (key,), value
    to = values.get("to")
    for index, value in enumerate(to) if isinstance(to, list) else ():
        if isinstance(value, str):
            yield ("to", index), value


def _is_mail(text: str) -> bool:
    """`ann@example.com`, or `Ann <ann@example.com>`."""
    address = parseaddr(text)[1] if text.endswith(">") else text
    return text.isprintable() and len(address) <= _MAX_MAIL and _MAIL.fullmatch(address) is not None
