"""Secrets that are known by the name before them in running text: `password=…`, `--token …`, `X-Api-Key: …`."""

from __future__ import annotations

import re
from typing import Final

from agentcop_core.redact.secrets import MARKER, marker
from agentcop_core.redact.sensitive import Sensitivity, sensitivity

_ASSIGNMENT: Final = re.compile(
    r"""
    (?<![A-Za-z0-9_.\-])([A-Za-z0-9_.\-]{2,256}+)   # a name
    (?:
        [\\"'\])]{0,8}+\s{0,8}+(?:=>|:=|==?|:)\s{0,8}+  # "name": or name=
      | \s{1,4}+is\s{1,4}+
    )
    """,
    re.VERBOSE,
)
_FLAG: Final = re.compile(r"(?<![A-Za-z0-9_.\-])(--?[A-Za-z][A-Za-z0-9_\-]{1,60}+)\s{1,8}+(?!-)")
_QUOTE: Final = re.compile(r"""\\{0,7}["'`]""")
_INSIDE: Final = {quote: re.compile(rf"[^{quote}\\]*+(?:\\.[^{quote}\\]*+)*", re.DOTALL) for quote in "\"'`"}
_BARE: Final = re.compile(r"""(?:[^\s"'`&;<>\\]++|\\(?!["']))+""")
_LINE: Final = re.compile(r"""[^\r\n"'`]++""")
_BRACKET: Final = re.compile(r"[{}\[\]]")
_WORD_BEFORE: Final = re.compile(r"[A-Za-z]{2,16}(?=[ \t]$)")
_NUMBER: Final = re.compile(r"[0-9.]{1,16}[,;)\]}]{0,4}")
_NOTHING: Final = frozenset({"true", "false", "null", "none"})
_QUERY_NAMES: Final = frozenset({"sig", "signature", "x-amz-signature", "key", "code"})
_AFTER: Final = ",;)]}"
_SECRET: Final = marker("secret")
_MARKED: Final = "[redacted:"


def hide_assigned(text: str) -> str:
    """`text` with the value after every sensitive name replaced. Linear: what was read is not read again."""
    return _hide(_FLAG, _hide(_ASSIGNMENT, text))


def _hide(pattern: re.Pattern[str], text: str) -> str:
    kept: list[str] = []
    copied = at = 0
    while found := pattern.search(text, at):
        at = found.end()
        kind = _kind(text, found)
        if kind == "no":
            continue
        start, end = _value(text, at, kind)
        at = max(at, end)
        value = text[start:end]
        if not value or value.lower().rstrip(_AFTER) in _NOTHING or MARKER.fullmatch(value):
            continue
        if kind == "text" and _NUMBER.fullmatch(value):
            continue
        kept += (text[copied:start], _SECRET)
        copied = end
    return "".join((*kept, text[copied:])) if kept else text


def _kind(text: str, found: re.Match[str]) -> Sensitivity:
    name, start = found[1], found.start(1)
    if text.endswith(_MARKED, 0, start) and MARKER.match(text, start - len(_MARKED)):
        return "no"
    if name.lower() in _QUERY_NAMES and text[start - 1 : start] in {"?", "&"}:
        return "any"
    if name.lower() in {"key", "keys"} and (before := _WORD_BEFORE.search(text[max(0, start - 20) : start])):
        return sensitivity(f"{before[0]}_{name}")
    return sensitivity(name)


def _value(text: str, at: int, kind: Sensitivity) -> tuple[int, int]:
    """Where the value at `at` begins and ends, without its quotes; a quote or bracket left open reaches to the end."""
    if quote := _QUOTE.match(text, at):
        start = quote.end()
        if len(quote[0]) > 1:  # a string within a string: the same escaped quote ends it
            end = text.find(quote[0], start)
            return start, len(text) if end < 0 else end
        inside = _INSIDE[quote[0]].match(text, start)
        return start, inside.end() if inside else start
    hidden = MARKER.match(text, at)
    if text[at : at + 1] in {"{", "["} and not hidden:
        return at, _closing(text, at)
    bare = (_LINE if kind == "line" else _BARE).match(text, at)
    end = bare.end() if bare else at
    return at, hidden.end() if hidden and not text[hidden.end() : end].strip(_AFTER) else end


def _closing(text: str, at: int) -> int:
    open_brackets = 0
    for bracket in _BRACKET.finditer(text, at):
        open_brackets += 1 if bracket[0] in "{[" else -1
        if open_brackets == 0:
            return bracket.end()
    return len(text)
