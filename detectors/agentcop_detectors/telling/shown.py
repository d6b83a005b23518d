"""What an agent sent, made fit to be shown: through the redactor, cut with a count."""

from __future__ import annotations

from typing import Final

import orjson

from agentcop_core.redact import Redactor

_LEAST: Final = 512
_BETWEEN: Final = frozenset(" \t\r\n,;\"'")
_REDACTOR: Final = Redactor()
_OPENS: Final = ("{", "[")


def shown(text: str, limit: int) -> str:
    """At most about `limit` characters of `text` without its secrets; what was cut is counted: `… +N`.

    JSON is read as such, so that a value under a sensitive name goes whatever it looks like. About twice `limit` is
    looked at, since hiding is dear; the rest is counted, never shown.
    """
    window = max(2 * limit, _LEAST)
    looked = text if len(text) <= window else _whole_words(text[:window])
    hidden = _as_json(looked) if looked is text and looked.startswith(_OPENS) else None
    if hidden is None:
        hidden = _REDACTOR.redact_text(looked)
    beyond = len(text) - len(looked)
    if not beyond and len(hidden) <= limit:
        return hidden
    kept = hidden[: max(0, limit)]
    return f"{kept}… +{len(hidden) - len(kept) + beyond:,}"


def _whole_words(text: str) -> str:
    """`text` up to where its last word begins: the half of a secret is not known as one."""
    at = next((at for at in range(len(text) - 1, -1, -1) if text[at] in _BETWEEN), 0)
    return text[:at]


def _as_json(text: str) -> str | None:
    try:
        value = orjson.loads(text)
        # As text once more: a secret may span a key and its value.
        return _REDACTOR.redact_text(orjson.dumps(_REDACTOR.redact(value)).decode())
    except (ValueError, TypeError, RecursionError):
        return None
