"""A webhook of anybody's: the alert as JSON, posted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from agentcop_alerts.sinks.outcome import SendFailed, fault, retry_after
from agentcop_alerts.wording import row_of
from agentcop_core.locks import IMPORTING

if TYPE_CHECKING:
    from agentcop_alerts.item import Item
    from agentcop_alerts.wording import Worded

_TIMEOUT: Final = 10
_REDIRECT: Final = 300
_BUSY: Final = frozenset({408, 425, 429})
_SERVER: Final = 500


def send(url: str, item: Item, message: Worded) -> None:
    """Post the alert. Redirects are not followed. Blocks for at most ten seconds a step; raises SendFailed."""
    with IMPORTING:
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *args: object, **kwargs: object) -> None:
            del args, kwargs

    if not url.startswith(("https://", "http://")):
        raise SendFailed("the webhook's url is no http address", final=True)
    headers = {"Content-Type": "application/json", "User-Agent": "agentcop", "Idempotency-Key": item.id}
    try:
        request = Request(url, data=body(item, message), headers=headers, method="POST")  # noqa: S310 -- checked above
        with build_opener(Stay).open(request, timeout=_TIMEOUT) as response:
            response.read(1)
    except HTTPError as error:
        with error:
            said = f"the webhook answered {error.code}"
            final = _REDIRECT <= error.code < _SERVER and error.code not in _BUSY
            raise SendFailed(said, final=final, retry_after=retry_after(error.headers.get("Retry-After"))) from None
    except (OSError, HTTPException, ValueError) as error:
        raise SendFailed(f"the webhook could not be reached: {fault(error)}") from None


def body(item: Item, message: Worded) -> bytes:
    """What is posted: the alert's fields, how much it stands for, and its words."""
    alert = item.alert
    return orjson.dumps(
        {
            "schema": 1,
            "id": item.id,
            "fingerprint": item.thread,
            "kind": alert.kind,
            "severity": alert.severity,
            "time": alert.time,
            "title": message.title,
            "agent_id": alert.agent_id,
            "environment": alert.environment,
            "tool": alert.tool,
            "arguments": alert.arguments,
            "rule": alert.rule,
            "at": alert.at,
            "reason": alert.reason,
            "evidence": alert.evidence,
            "policy_version": alert.policy_version,
            "session_id": alert.session_id,
            "call_id": alert.call_id,
            "trace_id": alert.trace_id,
            "trace_url": message.trace_url,
            "links": [{"label": link.label, "url": link.url} for link in message.links],
            "timeline": item.timeline,
            "refs": [row_of(ref) for ref in item.refs],
            "count": item.count,
            "repeat": item.repeat,
            "since": item.since,
            "note": item.note,
        }
    )
