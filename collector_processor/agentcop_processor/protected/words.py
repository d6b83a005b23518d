"""From a text to the words in it that may be paths: of a command line, of code, of a URL, of prose."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from agentcop_processor.protected.resolver import MAX_PATH

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# Paths stay text: see places.
# ruff: noqa: PTH111

_SIGNS: Final = "'\"`;|&<>(),=:"
_BETWEEN: Final = str.maketrans(dict.fromkeys((*map(chr, range(32)), "\x7f", *_SIGNS), " "))
_ESCAPED: Final = re.compile(r"(?:\\.|[^\s'\"`;|&<>(),=:\\])+", re.DOTALL)
_SPAN: Final = re.compile(r"\"([^\"\n]{1,4096})\"|'([^'\n]{1,4096})'")
_QUOTES: Final = re.compile(r"\$?['\"]|\\")
_BACKSLASHED: Final = re.compile(r"\\(.)", re.DOTALL)
_CODED: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{1,3}))")
_VARIABLE: Final = re.compile(r"\$(?:\{[!#]?(\w+)[^}]*\}|(\w+))", re.ASCII)
_UNKNOWN: Final = "\0"
_ENDS: Final = ".,!?"
_BRACKETS: Final = "[]{}"
_DECODINGS: Final = 3
_MAX_NAME: Final = 255

GLOB: Final = frozenset("*?[{}")


def words_of(text: str, names: Collection[str], *, spans: bool) -> Iterator[str]:
    """The distinct words of `text` that hold a `/`, `~`, `$` or `..`, or that are one of `names` (casefolded).

    Quotes, escapes and percent-escapes are seen through; where there are names, globs are words too. `spans`: what
    stands between quotes is one word too.
    """
    for form in _forms(text):
        words = set(form.translate(_BETWEEN).split())
        if spans or "\\" in form:
            words.update(_whole_words(form, spans=spans))
        for word in words:
            if "/" in word or "$" in word or "~" in word or ".." in word:
                if len(word) <= MAX_PATH:
                    yield from _cleaned(word)
            elif names and len(word) <= _MAX_NAME:
                for cleaned in _cleaned(word):
                    if cleaned.casefold() in names or not GLOB.isdisjoint(cleaned):
                        yield cleaned


def expanded(word: str) -> Iterator[tuple[str, bool]]:
    """`word` as a shell, or `os.path.expanduser`, makes it; and whether what it begins with is not known.

    A variable that this process does not have is taken for nothing, and for a folder that cannot be named.
    """
    if "$" in word:
        filled = _VARIABLE.sub(lambda match: os.environ.get(match[1] or match[2], _UNKNOWN), word)
        if filled.startswith(_UNKNOWN):
            yield filled.replace(_UNKNOWN, "").lstrip("/"), True
        word = filled.replace(_UNKNOWN, "")
    if word.startswith("~"):
        here = word[1:2] in ("+", "-") and word[2:3] in ("", "/")
        word = f".{word[2:]}" if here else os.path.expanduser(word)
    yield word, False


def _forms(text: str) -> Iterator[str]:
    """The text, and what is left of it once quotes, escapes and percent-escapes are taken away."""
    yield text
    if "\\" in text and (decoded := _CODED.sub(_character, text)) != text:
        yield _QUOTES.sub("", decoded)
    if _QUOTES.search(text) is not None:
        yield _QUOTES.sub("", _BACKSLASHED.sub(r"\1", text))
    for _ in range(_DECODINGS):
        if "%" not in text or (plain := unquote(text)) == text:
            return
        text = plain
        yield text


def _character(match: re.Match[str]) -> str:
    digits = next(filter(None, match.groups()))
    code = int(digits, 8 if match[4] else 16)
    return chr(code) if code < 0xD800 else ""  # noqa: PLR2004 -- no path of ours is written beyond that in escapes


def _whole_words(text: str, *, spans: bool) -> Iterator[str]:
    """Words that hold signs which else part them: escaped by a backslash, or between quotes."""
    for word in _ESCAPED.findall(text):
        if "\\" in word:
            yield _BACKSLASHED.sub(r"\1", word)
    if spans:
        for one, other in _SPAN.findall(text):
            yield one or other


def _cleaned(word: str) -> Iterator[str]:
    """The word, without what sticks to it: an option's letter, `@`, brackets, a full stop, a URL's end and host."""
    if not word:
        return
    yield word
    if word[0] in "-@+" and (start := min(filter(lambda at: at > 0, (word.find("/"), word.find("~"))), default=0)):
        yield word[start:]
    if word[0] == "@":
        yield word[1:]
    if word.startswith("//"):
        yield word[word.find("/", 2) :] if "/" in word[2:] else word
    if word[-1] in _ENDS:
        yield word.rstrip(_ENDS)
    if word[0] in _BRACKETS or word[-1] in _BRACKETS:
        yield word.strip(_BRACKETS)
    for mark in "#?":
        if mark in word[1:]:
            yield word.partition(mark)[0]
