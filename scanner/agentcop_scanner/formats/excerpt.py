"""The lines of source around a place, secrets masked, for reports that show code."""

from __future__ import annotations

import io
import os
import tokenize
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agentcop_core.escape import shorten
from agentcop_core.redact import Redactor
from agentcop_scanner.source.disk.problem import UnreadError
from agentcop_scanner.source.disk.reading import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcop_scanner.finding import Finding, Place

_AROUND: Final = 2
_MOST_LINES: Final = 12
_MOST_COLUMNS: Final = 240
_KEPT_FILES: Final = 8
_KEY: Final = "[redacted:private-key]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an excerpt."""

    number: int
    text: str
    """Masked, cut with a count where it is long."""
    hit: bool
    """Whether the place is on it."""


@dataclass(slots=True)
class Excerpts:
    """Reads source files again, a few kept at a time; not thread-safe. What cannot be read has no excerpt."""

    locate: Callable[[str], str] = str
    """Where the file of a finding's path is."""
    _read: dict[str, list[str]] = field(default_factory=dict)

    def around(self, path: str, place: Place) -> tuple[Line, ...]:
        """At most a dozen lines around `place`; none where the file is gone, not regular, over 4 MiB, or shorter."""
        lines = self._lines(path)
        last = max(place.line, place.end_line)
        if last > len(lines):
            return ()
        first = max(1, place.line - _AROUND)
        end = min(len(lines), last + _AROUND, first + _MOST_LINES - 1)
        return tuple(
            Line(number=number, text=_cut(lines[number - 1]), hit=place.line <= number <= last)
            for number in range(first, end + 1)
        )

    def of(self, finding: Finding) -> tuple[Line, ...]:
        """The excerpt of a finding; its own snippet where the file cannot be read as it was."""
        lines = self.around(finding.path, finding.place)
        if lines or not finding.snippet:
            return lines
        return tuple(
            Line(number=finding.place.line + index, text=_cut(text), hit=True)
            for index, text in enumerate(finding.snippet.splitlines()[:_MOST_LINES])
        )

    def line(self, path: str, number: int) -> str:
        """One line of a file, masked and cut; "" where there is none."""
        lines = self._lines(path)
        return _cut(lines[number - 1]) if 0 < number <= len(lines) else ""

    def _lines(self, path: str) -> list[str]:
        if path not in self._read:
            while len(self._read) >= _KEPT_FILES:
                del self._read[next(iter(self._read))]
            self._read[path] = _masked(_text(self.locate(path)))
        return self._read[path]


def _text(path: str) -> str:
    """The text of a regular file within the limits of a scan; "" for any other."""
    try:
        raw = read_bytes(os.path.realpath(path), "python")
    except (UnreadError, ValueError):
        return ""
    try:
        return raw.decode(tokenize.detect_encoding(io.BytesIO(raw).readline)[0])
    except (SyntaxError, UnicodeError, LookupError):
        return raw.decode(errors="replace")


def _masked(text: str) -> list[str]:
    """The lines of `text` with secrets hidden, none lost or added: a key over several lines is hidden on each."""
    redactor = Redactor()
    if not text:
        return []
    lines: list[str] = []
    inside = False
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        inside = inside or ("-----BEGIN" in line and "PRIVATE KEY" in line)
        lines.append(_KEY if inside else line)
        inside = inside and "-----END" not in line
    whole = redactor.redact_text("\n".join(lines)).split("\n")
    return whole if len(whole) == len(lines) else [redactor.redact_text(line) for line in lines]


def _cut(line: str) -> str:
    return shorten(line.expandtabs(4), _MOST_COLUMNS)
