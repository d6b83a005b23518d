"""From a text to the words in it that may be paths: of a command line, of code, of a URL, of prose."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from agentcop_processor.protected.resolver import MAX_CLIMB, MAX_PATH

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# Paths stay text: see places.
# ruff: noqa: PTH111

UNKNOWN: Final = "\ue000"
"""Stands in a word for what this process cannot know: a variable it does not have, what a command prints."""
GLOB: Final = frozenset("*?[" + UNKNOWN)

_SIGNS: Final = "'\"`;|&<>(),=:"
_BETWEEN: Final = str.maketrans(dict.fromkeys((*map(chr, range(32)), "\x7f", *_SIGNS), " "))
_ESCAPED: Final = re.compile(r"(?:\\.|[^\s'\"`;|&<>(),=:\\])+", re.DOTALL)
_SPAN: Final = re.compile(r"\"([^\"\n]{1,4096})\"|'([^'\n]{1,4096})'")
_QUOTES: Final = re.compile(r"\$?['\"]|\\\n?")
_BACKSLASHED: Final = re.compile(r"\\(.)", re.DOTALL)
_CODED: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{1,3}))")
_VARIABLE: Final = re.compile(r"\$(?:\{([!#]?)(\w++)([^}]*+)\}|(\w++))", re.ASCII)
_BARE: Final = re.compile(r"\$()()()(\w++)", re.ASCII)
"""Of these the ones without braces, in the same groups."""
_COMPUTED: Final = re.compile(r"[$!@+?*]\([^()]*+\)|`[^`]*+`|\{([^{}\s]*+)\}")
"""What a shell computes: what a command prints, an extended glob, `{a,b}` and `{a..z}`; xargs fills in `{}`."""
_LEVELS: Final = 32
_MAX_FILLED: Final = 8 * 1_048_576
_INSIDE: Final = re.compile(r"(?<=[^\w./~*?\]-])[/~]")
_ENDS: Final = ".,!?])}"
_BRACKETS: Final = "[]{}"
_MARKS: Final = "#?!@"
_NOWHERE: Final = re.compile(r"/(?:\.?/)+")
_DECODINGS: Final = 8
_MAX_NAME: Final = 255


def words_of(text: str, names: Collection[str], *, spans: bool) -> Iterator[str]:
    """The distinct words of `text` that hold a `/`, `~` or `..`, or that are one of `names`.

    Quotes, escapes, percent-escapes and variables are seen through. Where there are names (casefolded), globs are words
    too. `spans`: what stands between quotes is one word too.
    """
    for form in _forms(text):
        words = set(form.translate(_BETWEEN).split())
        if spans or "\\" in form:
            words.update(_whole_words(form, spans=spans))
        for word in words:
            if "/" in word or "~" in word or ".." in word:
                yield from filter(None, map(within_reach, _cleaned(word)))
            elif names and len(word) <= MAX_PATH:
                for cleaned in _cleaned(word):
                    if len(cleaned) <= _MAX_NAME and (
                        cleaned.casefold() in names or not (cleaned == UNKNOWN or GLOB.isdisjoint(cleaned))
                    ):
                        yield cleaned


def plain_words(text: str) -> Iterator[str]:
    """The words as they stand, and without a full stop; of no more than a file name's length."""
    for word in text.translate(_BETWEEN).split():
        if len(word) <= _MAX_NAME:
            yield word
            if word[-1] in _ENDS:
                yield word.rstrip(_ENDS)


def within_reach(path: str) -> str:
    """`path`; if no file system takes one so long, what tools make of it that tidy paths first; "" if it stays long.

    One that gets short only by its `..` stays as it is, for links have their say in that; over 64 KiB, its text alone.
    """
    if len(path) <= MAX_PATH:
        return path
    tidy = _NOWHERE.sub("/", path)
    if len(tidy) <= MAX_PATH:
        return tidy
    if "/.." not in tidy or len(short := os.path.normpath(tidy)) > MAX_PATH:
        return ""
    return tidy if len(tidy) <= MAX_CLIMB else short


def at_home(path: str) -> str:
    """`path` with a leading `~` resolved, as a shell and `os.path.expanduser` do."""
    if not path.startswith("~"):
        return path
    if path[1:2] in ("+", "-") and path[2:3] in ("", "/"):
        return f".{path[2:]}"
    return os.path.expanduser(path)


class TooIntricateError(ValueError):
    """A text that cannot be seen through within bounds: nobody may be led by it."""


def filled(text: str) -> str:
    """`text` with the variables of this process filled in. Raises TooIntricateError where that is over 8 MiB more."""
    if "$" not in text:
        return text
    room = _MAX_FILLED

    def value(match: re.Match[str]) -> str:
        nonlocal room
        found = _value(match)
        room -= len(found)
        if room < 0:
            raise TooIntricateError("its variables stand for more than can be looked at")
        return found

    # Behind the last `}` no `${` can end: to look for its end at each would take for ever.
    closed = text.rfind("}") + 1
    return _VARIABLE.sub(value, text[:closed]) + _BARE.sub(value, text[closed:])


def _forms(text: str) -> Iterator[str]:
    """The text, and what is left of it once quotes, escapes, variables and commands in it are seen through."""
    yield text
    if "$" in text or "`" in text or "(" in text or "{" in text:
        computed = _without_computed(text)
        if computed != text:
            yield from _unquoted(filled(computed))
        if "$" in text:
            text = filled(text)
            yield text
    yield from _unquoted(text)
    for _ in range(_DECODINGS):
        if "%" not in text or (plain := unquote(text)) == text:
            return
        text = plain
        yield text


def _without_computed(text: str) -> str:
    """`text` with `UNKNOWN` for all that a shell computes, innermost first. Raises TooIntricateError over 32 levels."""
    for _ in range(_LEVELS):
        if (outer := _COMPUTED.sub(_unknown, text)) == text:
            return text
        text = outer
    raise TooIntricateError("what a shell would compute is nested too deep")


def _unknown(match: re.Match[str]) -> str:
    inside = match[1]
    return UNKNOWN if not inside or "," in inside or ".." in inside else match[0]


def _unquoted(text: str) -> Iterator[str]:
    if "\\" in text and (decoded := _CODED.sub(_character, text)) != text:
        yield _QUOTES.sub("", decoded)
    if _QUOTES.search(text) is not None:
        yield _QUOTES.sub("", _BACKSLASHED.sub(_escaped, text))
    if UNKNOWN in text:
        yield text


def _value(match: re.Match[str]) -> str:
    """A variable's value; `$PWD` is where a shell would be started, whatever this process was given."""
    sign, name, rest, bare = match.groups()
    if (bare or name) == "PWD" and not rest:
        return "."
    whole = not rest or rest[0] == "?" or (rest[0] == ":" and rest[1:2] in ("-", "=", "?"))
    if sign or not whole or (bare or name) == "OLDPWD":
        return UNKNOWN  # a part of it, another's, or a shell's own
    return os.environ.get(bare or name, UNKNOWN)


def _escaped(match: re.Match[str]) -> str:
    return "" if match[1] == "\n" else match[1]


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
    yield from _ended(word)
    if word[0] == "-" and (start := min(filter(lambda at: at > 0, (word.find("/"), word.find("~"))), default=0)):
        yield from _ended(word[start:])
    elif (inside := _INSIDE.search(word)) is not None:
        yield from _ended(word[inside.start() :])
    if word[0] in _BRACKETS or word[0] == "@":
        yield from _ended(word.lstrip(_BRACKETS + "@"))
    if word.startswith("//") and "/" in word[2:]:
        yield from _ended(word[word.find("/", 2) :])


def _ended(word: str) -> Iterator[str]:
    if not word:
        return
    yield word
    if word[-1] in _ENDS:
        yield word.rstrip(_ENDS)
    for mark in _MARKS:
        if mark in word[1:]:
            yield word.partition(mark)[0]
