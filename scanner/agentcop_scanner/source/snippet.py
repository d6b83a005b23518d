"""The source text a finding shows: short, and without secrets."""

from __future__ import annotations

from agentcop_core.redact import Redactor

_MAX_LINES = 6
_MAX_CHARACTERS = 400
_REDACTOR = Redactor()


def snippet(lines: list[str], first: int, last: int) -> str:
    """Lines `first` to `last`, counted from 1, dedented and cut to what fits a report; cuts are shown as `…`."""
    chosen = lines[first - 1 : min(max(last, first), first - 1 + _MAX_LINES)]
    indent = min((len(line) - len(line.lstrip()) for line in chosen if line.strip()), default=0)
    text = "\n".join(line[indent : indent + _MAX_CHARACTERS * 2].rstrip() for line in chosen)
    text = _REDACTOR.redact_text(text)
    if len(text) > _MAX_CHARACTERS:
        return text[:_MAX_CHARACTERS].rstrip() + " …"
    return text + " …" if last - first >= _MAX_LINES else text
