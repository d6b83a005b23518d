"""The addresses that an alert points to, filled in from templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from agentcop_policies.secrets import SecretUnset, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_alerts.item import Item
    from agentcop_core.alert import Alert

_LONGEST: Final = 2_000
_OF_A_TRACE: Final = "{trace_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A page to open."""

    label: str
    """What it says: `Open trace`."""
    url: str
    """http or https; holds no space and nothing that a sink would act on but `&`."""


def links_of(item: Item, environ: Mapping[str, str]) -> tuple[Link, ...]:
    """The pages of `item` in fixed order; those that cannot be filled in are left out."""
    templates = (
        ("Open trace", item.trace_link),
        ("Open run", item.page_link),
        ("Dashboard", item.dashboard_link),
        ("Runbook", item.runbook_link),
    )
    return tuple(
        Link(label=label, url=url) for label, template in templates if (url := fill(template, item.alert, environ))
    )


def fill(template: str, alert: Alert, environ: Mapping[str, str]) -> str:
    """The address; "" without a trace that it needs, a variable that is not set, or where it is none of http.

    What an agent can choose is percent-encoded whole: it stays in its place of the path or the query.
    """
    if not template or (_OF_A_TRACE in template and not alert.trace_id):
        return ""
    try:
        url = resolve(template, environ)
    except SecretUnset:
        return ""
    words = {
        "trace_id": alert.trace_id,
        "agent_id": alert.agent_id,
        "session_id": alert.session_id,
        "tool": alert.tool,
        "kind": alert.kind,
    }
    # A piece at a time: what is filled in is not searched for further names.
    pieces = url.split("{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, closed, rest = piece.partition("}")
        known = bool(closed) and name in words
        filled.append(quote(words[name].encode("utf-8", "replace"), safe="") + rest if known else "{" + piece)
    url = "".join(filled)
    fit = (
        url.startswith(("https://", "http://")) and url.isprintable() and not any(char in url for char in " <>\"'`|\\")
    )
    return url if fit and len(url) <= _LONGEST else ""
