"""What an agent sent, made fit to be shown: through the redactor, cut with a count."""

from __future__ import annotations

from typing import Final

import orjson

from agentcop_core.redact import Redactor

_READ: Final = 65_536
_REDACTOR: Final = Redactor()
_OPENS: Final = ("{", "[")


def shown(text: str, limit: int) -> str:
    """At most about `limit` characters of `text` without its secrets; what was cut is counted: `… +N`.

    JSON is read as such, so that a value under a sensitive name goes whatever it looks like. At most 65,536 characters
    are looked at: the rest is counted, never shown.
    """
    looked = text[:_READ]
    hidden = _as_json(looked) if looked.startswith(_OPENS) and len(looked) == len(text) else None
    if hidden is None:
        hidden = _REDACTOR.redact_text(looked)
    beyond = len(text) - len(looked)
    if len(hidden) + beyond <= limit:
        return hidden
    kept = hidden[: max(0, limit)]
    return f"{kept}… +{len(hidden) - len(kept) + beyond:,}"


def _as_json(text: str) -> str | None:
    try:
        value = orjson.loads(text)
        # As text once more: a secret may span a key and its value.
        return _REDACTOR.redact_text(orjson.dumps(_REDACTOR.redact(value)).decode())
    except (ValueError, TypeError, RecursionError):
        return None
