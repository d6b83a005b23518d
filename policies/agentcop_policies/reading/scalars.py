"""Which plain YAML words are numbers, truth values or nothing: the core schema of YAML 1.2.

PyYAML follows YAML 1.1, where `on`, `no` and `1:30` are not text. Here they are, so a tool may be called `on`, and
`strict: yes` is an error instead of a guess.
"""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_INT: Final = re.compile(r"[-+]?[0-9]{1,300}", re.ASCII)
_BASED: Final = re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_SPECIAL: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)
_OCTAL: Final = re.compile(r"[-+]?0[0-9]+", re.ASCII)


def resolve(text: str) -> str | float | bool | None:
    """The value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


def ambiguous(text: str) -> str:
    """Why readers of YAML disagree about an unquoted scalar; "" if they do not."""
    if not _OCTAL.fullmatch(text):
        return ""
    return f"{text} reads as an octal number in some YAML readers and as a decimal in others: quote it or drop the zero"
