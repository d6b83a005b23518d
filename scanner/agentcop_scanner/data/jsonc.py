"""JSON as editors write it: with comments, trailing commas and a byte order mark. Iterative: depth costs no stack."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agentcop_scanner.data.node import MAX_CHARS, MAX_DEPTH, MAX_NODES, DataError, Entry, Lines, Node

if TYPE_CHECKING:
    from agentcop_scanner.finding import Place

_SPACE: Final = re.compile(r"(?:[ \t\r\n\ufeff]++|//[^\r\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*\*/)*")
_STRING: Final = re.compile(r'"[^"\\\r\n]*+(?:\\.[^"\\\r\n]*+)*"')
_WORD: Final = re.compile(r"[A-Za-z0-9+\-._]++")
_WORDS: Final = {"true": True, "false": False, "null": None}


@dataclass(slots=True, kw_only=True)
class _Open:
    """A list or mapping that is not closed yet."""

    start: int
    closes: str
    items: list[Node] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    key: tuple[str, Place] | None = None


class _Reader:
    """Reads one text from left to right, once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = Lines(text)
        self._at = 0
        self._count = 0
        self._open: list[_Open] = []

    def read(self) -> Node:
        """The one value in the text."""
        while True:
            done = self._value() if self._expects_value() else self._close()
            while done is not None:
                if not self._open:
                    self._skip()
                    if self._at < len(self._text):
                        raise self._error("something follows the value")
                    return done
                done = self._put(done)

    def _skip(self) -> str:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]

    def _error(self, what: str) -> DataError:
        return DataError(f"not JSON: {what} in line {self._lines.place(self._at, self._at).line}")

    def _expects_value(self) -> bool:
        """Whether a value comes next; reads a mapping's key and colon on the way. False: the list or mapping ends."""
        char = self._skip()
        if not self._open:
            return True
        around = self._open[-1]
        if char == around.closes:
            return False
        if around.closes == "}":
            key, place = self._string()
            if self._skip() != ":":
                raise self._error("a key without a colon")
            self._at += 1
            around.key = (key, place)
            self._skip()
        return True

    def _value(self) -> Node | None:
        """The scalar at hand; None: a list or mapping was opened."""
        self._count += 1
        if self._count > MAX_NODES:
            raise DataError(f"more than {MAX_NODES:,} values")
        start = self._at
        char = self._text[start : start + 1]
        if char in {"{", "["}:
            if len(self._open) >= MAX_DEPTH:
                raise DataError(f"nested deeper than {MAX_DEPTH}")
            self._open.append(_Open(start=start, closes="}" if char == "{" else "]"))
            self._at += 1
            return None
        if char == '"':
            text, place = self._string()
            return Node(scalar=text, place=place)
        word = _WORD.match(self._text, start)
        if word is None:
            raise self._error("no value")
        self._at = word.end()
        return Node(scalar=_WORDS.get(word[0], word[0]), place=self._lines.place(start, self._at))

    def _string(self) -> tuple[str, Place]:
        found = _STRING.match(self._text, self._at)
        if found is None:
            raise self._error("no string")
        self._at = found.end()
        try:
            value = json.loads(found[0], strict=False)
        except ValueError as error:
            raise self._error("a malformed string") from error
        return str(value), self._lines.place(found.start(), found.end())

    def _put(self, done: Node) -> Node | None:
        """Adds a value to the list or mapping around it, which is returned if it ends here."""
        around = self._open[-1]
        if around.key is not None:
            around.entries.append(Entry(key=around.key[0], place=around.key[1], node=done))
            around.key = None
        else:
            around.items.append(done)
        char = self._skip()
        if char == ",":
            self._at += 1
            return None
        if char == around.closes:
            return self._close()
        raise self._error("a missing comma or end")

    def _close(self) -> Node:
        ended = self._open.pop()
        self._at += 1
        place = self._lines.place(ended.start, self._at)
        return Node(place=place, items=tuple(ended.items), entries=tuple(ended.entries))


def read_json(text: str, *, most: int = MAX_CHARS) -> Node:
    """The tree of a JSON text of at most `most` characters. Raises DataError. Linear in the text."""
    if len(text) > most:
        raise DataError(f"longer than {most:,} characters")
    return _Reader(text).read()
