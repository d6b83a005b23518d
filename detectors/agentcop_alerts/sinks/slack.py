"""Slack's incoming webhook, in Block Kit: hostile text can neither mention anybody nor break out of its block."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from agentcop_alerts.sinks.outcome import SendFailed, fault, retry_after
from agentcop_alerts.wording import shorten
from agentcop_core.locks import IMPORTING

if TYPE_CHECKING:
    from agentcop_alerts.links import Link
    from agentcop_alerts.wording import Part, Worded

_TIMEOUT: Final = 10
_SECTION: Final = 3_000
_HEADER: Final = 150
_BLOCKS: Final = 50
_FALLBACK: Final = 3_000
_OK: Final = 200
_TOO_MANY: Final = 429
_SERVER: Final = 500


def send(url: str, message: Worded) -> None:
    """Post `message`. Blocks for at most ten seconds a step; raises SendFailed."""
    with IMPORTING:
        from slack_sdk.webhook import WebhookClient

    client = WebhookClient(url, timeout=_TIMEOUT, logger=silent(), retry_handlers=[])
    try:
        response = client.send(text=fallback(message), blocks=blocks(message))
    except Exception as error:
        raise SendFailed(f"Slack could not be reached: {fault(error)}") from None
    if response.status_code == _OK:
        return
    said = f"Slack answered {response.status_code} {_word(response.body)}".rstrip()
    headers = {name.lower(): value for name, value in response.headers.items()}
    if response.status_code == _TOO_MANY:
        raise SendFailed(said, retry_after=retry_after(_one(headers.get("retry-after"))))
    raise SendFailed(said, final=response.status_code < _SERVER)


def blocks(message: Worded) -> list[dict[str, Any]]:
    """The message as Block Kit, within Slack's limits."""
    made = [{"type": "header", "text": {"type": "plain_text", "text": _fit(message.title, _HEADER), "emoji": False}}]
    made += [_section(part) for part in message.parts]
    if message.links:
        made.append(_mrkdwn(_linked(message.links)))
    if len(made) > _BLOCKS:
        made = [*made[: _BLOCKS - 1], _mrkdwn(f"… +{len(made) - _BLOCKS + 1}")]
    return made


def fallback(message: Worded) -> str:
    """What notifications and old clients show: always set, and as safe as the blocks."""
    who = " · ".join(
        part.text.replace("\n", " · ") for part in message.parts if part.label in {"Agent and tool", "Why"}
    )
    return _fit(f"{message.title} · {who}", _FALLBACK)


def escape(text: str) -> str:
    """`text` with what Slack acts on made harmless: its three control characters, mentions, and code fences."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("@", "@\u200b").replace("`", "\u02cb")


def _section(part: Part) -> dict[str, Any]:
    head = f"*{part.label}*\n"
    if part.look == "code":
        return _mrkdwn(f"{head}```{_fit(part.text, _SECTION - len(head) - 6)}```")
    return _mrkdwn(head + _fit(part.text, _SECTION - len(head)))


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _fit(text: str, limit: int) -> str:
    """`text` escaped, cut so that the escaped form fits: an entity is never cut in two."""
    escaped = escape(text)
    kept = len(text)
    while len(escaped) > limit:
        kept = min(kept - 1, int(kept * limit / len(escaped)))
        escaped = escape(shorten(text, kept))
    return escaped


def _linked(links: tuple[Link, ...]) -> str:
    """As many as fit, and how many did not."""
    texts = [f"<{_link(link.url)}|{link.label}>" for link in links]
    while len(" · ".join(texts)) > _SECTION - 10:
        texts.pop()
    left = len(links) - len(texts)
    return " · ".join(texts) + (f" … +{left}" if left else "")


def _link(url: str) -> str:
    return url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")


def _word(body: str) -> str:
    """Slack's error code, `no_service`; nothing of an answer that is none."""
    word = body.strip()[:80]
    return word if word.replace("_", "").isalnum() and word.isascii() else ""


def _one(value: object) -> str | None:
    return str(value[0]) if isinstance(value, list) and value else value if isinstance(value, str) else None


def silent() -> logging.Logger:
    """A logger for slack-sdk that says nothing: it logs the address it posts to, which is the secret."""
    logger = logging.getLogger("agentcop.alerts.slack")
    logger.setLevel(logging.CRITICAL)
    logger.disabled = True
    return logger
