"""TOML as a tree with places: read by the standard library, and each key looked up in the text again.

The standard library tells no positions. A second, plain reading of the lines finds the tables and keys; what it cannot
find (a table inside a line) stands at the line of what is around it.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Final

from agentcop_scanner.data.node import MAX_CHARS, MAX_DEPTH, MAX_NODES, DataError, Entry, Node
from agentcop_scanner.finding import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str | int, ...]

_TABLE: Final = re.compile(r"[ \t]*+(\[\[?)([^\[\]\r\n]{1,500})\]")
_KEY: Final = re.compile(
    r"""[ \t]*+((?:[A-Za-z0-9_.\-]++|"[^"\r\n]{0,200}+"|'[^'\r\n]{0,200}+'|[ \t]++(?!=))+)[ \t]*+="""
)
_PART: Final = re.compile(r"""[A-Za-z0-9_\-]++|"[^"]*+"|'[^']*+'""")
_LONG: Final = ('"""', "'''")


def read_toml(text: str) -> Node:
    """The tree of a TOML text. Raises DataError."""
    if len(text) > MAX_CHARS:
        raise DataError(f"longer than {MAX_CHARS:,} characters")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError("not TOML") from error
    except (RecursionError, ValueError) as error:
        raise DataError("not TOML, or nested too deeply") from error
    return _Builder(_places(text)).node(data, (), Place(line=1), 0)


class _Builder:
    """Turns plain data into nodes."""

    def __init__(self, places: Mapping[Path, Place]) -> None:
        self._places = places
        self._count = 0

    def node(self, value: object, path: Path, around: Place, depth: int) -> Node:
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_NODES:
            raise DataError("nested too deeply or too many values")
        place = self._places.get(path, around)
        if isinstance(value, dict):
            entries = []
            for key, below in value.items():
                inner = (*path, key)
                at = self._places.get(inner, place)
                entries.append(Entry(key=key, place=at, node=self.node(below, inner, place, depth + 1)))
            return Node(place=place, entries=tuple(entries))
        if isinstance(value, list):
            return Node(
                place=place,
                items=tuple(self.node(item, (*path, at), place, depth + 1) for at, item in enumerate(value)),
            )
        return Node(place=place, scalar=value if isinstance(value, str | bool) else str(value))


def _places(text: str) -> dict[Path, Place]:
    """Where the tables and keys stand, by the path that leads to them."""
    found: dict[Path, Place] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    until = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if until:
            until = "" if until in line else until
            continue
        place = Place(line=number, col=len(line) - len(line.lstrip()) + 1, end_line=number, end_col=len(line.rstrip()))
        if header := _TABLE.match(line):
            table = _inside(_parts(header[2]), counts)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            found.setdefault(table, place)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_parts(key[1])), place)
            until = next((mark for mark in _LONG if line.count(mark) == 1), "")
    return found


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _inside(path: Path, counts: Mapping[Path, int]) -> Path:
    """The path with the number of the list's last element after each name that is a list of tables."""
    full: Path = ()
    for at, part in enumerate(path):
        full = (*full, part)
        if at < len(path) - 1 and full in counts:
            full = (*full, counts[full])
    return full
