"""Slack's `chat.postMessage`, as a bot: what belongs together stands in one thread."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from agentcop_alerts.sinks.outcome import SendFailed, fault, retry_after
from agentcop_alerts.sinks.slack import blocks, fallback, silent
from agentcop_core.locks import IMPORTING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.errors import SlackApiError
    from slack_sdk.web import SlackResponse

    from agentcop_alerts.wording import Worded

API: Final = "AGENTCOP_SLACK_API_URL"
"""Slack's own address, or that of another Slack, as GovSlack's `https://slack-gov.com/api/`."""

_DEFAULT: Final = "https://slack.com/api/"
_TIMEOUT: Final = 10
_SERVER: Final = 500
_TOO_MANY: Final = 429
_PASSING: Final = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
_NO_THREAD: Final = frozenset({"thread_not_found", "message_not_found"})


class Posted(NamedTuple):
    """Where a message stands."""

    channel: str
    """Slack's id of the channel."""
    ts: str
    """Slack's id of the message in it."""


def send(token: str, channel: str, message: Worded, root: Posted | None, environ: Mapping[str, str]) -> Posted:
    """Post `message`, below `root` if there is one; the root of its thread.

    A reply that opens no new thread but is news (a rise in severity) is shown in the channel too. Blocks for at most
    ten seconds a step; raises SendFailed.
    """
    base = _base(environ)
    said = {"text": fallback(message), "blocks": blocks(message), "unfurl_links": False, "unfurl_media": False}
    if root is not None:
        reply = {"channel": root.channel, "thread_ts": root.ts, "reply_broadcast": message.first}
        try:
            _post(base, token, {**said, **reply})
        except SendFailed as failed:
            if not isinstance(failed, _NoThread):
                raise
        else:
            return root
    answer = _post(base, token, {**said, "channel": channel})
    return Posted(channel=_text(answer.get("channel")) or channel, ts=_text(answer.get("ts")))


class _NoThread(SendFailed):
    """The message that opened the thread is gone."""


def _post(base: str, token: str, said: Mapping[str, Any]) -> SlackResponse:
    with IMPORTING:
        from slack_sdk import WebClient
        from slack_sdk.errors import SlackApiError

    client = WebClient(token=token, base_url=base, timeout=_TIMEOUT, logger=silent(), retry_handlers=[])
    try:
        answer = client.chat_postMessage(**said)
    except SlackApiError as error:
        raise _refused(error) from None
    except Exception as error:
        raise SendFailed(f"Slack could not be reached: {fault(error)}") from None
    return answer


def _refused(error: SlackApiError) -> SendFailed:
    response = error.response
    status = int(getattr(response, "status_code", 0))
    headers = {str(name).lower(): value for name, value in (getattr(response, "headers", None) or {}).items()}
    word = _text(response.get("error")) if hasattr(response, "get") else ""
    word = word if word.isascii() and word.replace("_", "").isalnum() else ""
    said = f"Slack answered {word or status}"
    if status == _TOO_MANY or word in {"ratelimited", "rate_limited"}:
        return SendFailed(said, retry_after=retry_after(_text(headers.get("retry-after"))))
    if word in _NO_THREAD:
        return _NoThread(said, final=True)
    return SendFailed(said, final=bool(word) and word not in _PASSING and status < _SERVER)


def _base(environ: Mapping[str, str]) -> str:
    """Slack's API. A token goes over TLS or to this machine. Raises SendFailed."""
    base = environ.get(API, "").strip() or _DEFAULT
    try:
        parts = urlsplit(base)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", None
    if parts is None or not host or parts.scheme not in {"https", "http"} or parts.query or parts.fragment:
        raise SendFailed(f"{API}: write https://slack.com/api/", final=True)
    if parts.scheme == "http" and not _is_here(host):
        raise SendFailed(f"{API}: the token would go in clear text; write https://", final=True)
    return base if base.endswith("/") else f"{base}/"


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _text(value: object) -> str:
    return value[:200] if isinstance(value, str) else str(value[0])[:200] if isinstance(value, list) and value else ""
