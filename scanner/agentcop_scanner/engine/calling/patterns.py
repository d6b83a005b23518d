"""What a regular expression lets through. It is read as text: no pattern of others is ever run."""

from __future__ import annotations

import enum
import re
from functools import lru_cache


class Strength(enum.Enum):
    """How much text that a pattern matched can still do."""

    LETTERS = "letters"
    """Nothing: all of it is letters, digits, dots inside, dashes inside, underscores."""
    NO_SLASH = "no slash"
    """It is of such characters and spaces or the like, without slashes, quotes, or signs of a shell."""
    SOME = "some"
    """It is all of the text, and lets more through."""
    PART = "part"
    """It looks at a part of the text only."""
    UNKNOWN = "unknown"
    """The pattern is not known."""


_CLASS = re.compile(r"\[(\^?)((?:\\.|[^\]\\])+)\]")
_SAFE_ATOM = re.compile(r"(\\w|\\d|\\-|\\_|\\\.|[A-Za-z0-9_]|-(?=$)|(?<=^)-|-|\.)")
_REPEAT = re.compile(r"\{\d*,?\d*\}|[*+?]\??")
_WORD = re.compile(r"[A-Za-z]{3}")
_PLAIN = re.compile(r"[A-Za-z0-9_@:=\- ]|\\[wd.\-_]")


@lru_cache(maxsize=512)
def strength(pattern: str, how: str) -> Strength:
    """What text that `pattern` matched by `match`, `fullmatch` or `search` can still do.

    For `sub`: what is left of text after everything that matched was taken out.
    """
    if not pattern:
        return Strength.UNKNOWN
    if len(pattern) > 500:  # noqa: PLR2004  # longer than anything that restricts to a few characters
        return Strength.SOME
    if how == "sub":
        found = _CLASS.fullmatch(_REPEAT.sub("", pattern))
        if found and found[1] == "^" and _safe_class(found[2]):
            return Strength.LETTERS
        return Strength.LETTERS if pattern.rstrip("+") == r"\W" else Strength.SOME
    anchored = pattern.startswith(("^", r"\A")) or how in {"match", "fullmatch"}
    ended = pattern.endswith(("$", r"\Z", r"\z")) or how == "fullmatch"
    if not anchored or not ended:
        return Strength.PART
    return _body(pattern.removeprefix("^").removeprefix(r"\A").removesuffix("$").removesuffix(r"\Z"))


def begins_with_a_word(pattern: str, how: str) -> bool:
    """Whether a pattern asks how text begins, as `^data:image` does: text that begins otherwise may be anything."""
    anchored = how in {"match", "fullmatch"} or pattern.startswith(("^", r"\A"))
    return anchored and _WORD.match(pattern.removeprefix("^").removeprefix(r"\A")) is not None


def _safe_class(body: str) -> bool:
    rest = re.sub(r"\\[wd\-_.]|[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9_.\-]", "", body)
    return rest == ""


def _mild_class(body: str) -> bool:
    rest = re.sub(r"\\[wds\-_.:+@]|[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9_.\- ,:@+=]", "", body)
    return rest == ""


def _body(body: str) -> Strength:
    """A pattern without its anchors: classes, plain characters, groups and repeats."""
    found = Strength.LETTERS
    for negated, inner in _CLASS.findall(body):
        if negated:
            return Strength.SOME
        if not _safe_class(inner):
            found = Strength.NO_SLASH
            if not _mild_class(inner):
                return Strength.SOME
    rest = _REPEAT.sub("", _CLASS.sub("", body))
    rest = re.sub(r"\(\?:|\(\?P<\w+>|[()|]", "", rest)
    rest = _PLAIN.sub("", rest)
    return found if rest == "" else Strength.SOME
