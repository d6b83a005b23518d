"""Reading gate.log's files as lines: oldest first, bounded in memory, whatever stands in them.

A process killed inside a `write` leaves a torn line, and the next process's line is glued to it. Such a line is taken
apart again, so that one writer's death never spoils another writer's chain.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

import orjson

from agentcop_processor.gatelog.chain import LOG_NAME, MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

Kind = Literal["record", "torn", "foreign"]
"""`record`: a line as AgentCop writes it. `torn`: the beginning of one. `foreign`: nothing that AgentCop writes."""

_ROTATED = re.compile(re.escape(LOG_NAME) + r"\.([1-9][0-9]{0,3})")
_BEGINNING = b'{"t":"'
_GLUED = re.compile(rb'\{"t":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{15}Z","kind":"')
_MAX_WRITER = 64
_MAX_LOOKS = 100
_MAX_GLUED = 16  # attempts to find a whole line in a broken one; a hostile line may offer thousands


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a file, without its newline."""

    file: str
    """The file's name, `gate.log.2`."""
    number: int
    """From 1."""
    kind: Kind
    data: bytes
    """The bytes that the chain is taken over; empty for a foreign line too long to be one."""
    record: Mapping[str, object]
    """The parsed line; empty unless `kind` is `record`. In a record `t` and `w` are str, and so is a `prev`."""
    seq: int = -1
    """The record's `n`: 0 or more."""

    @property
    def where(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.number}"


class LogPart(NamedTuple):
    """One open file of the log."""

    age: int
    """How many rotations old; 0 is the one being written."""
    name: str
    handle: BinaryIO


def has_log(folder: Path) -> bool:
    """Whether there is a gate.log in `folder`, or what rotation made of one. Raises OSError if it cannot be listed."""
    try:
        return bool(_names(folder))
    except FileNotFoundError:
        return False


def open_log(folder: Path, stack: ExitStack) -> list[LogPart]:
    """The log's files, oldest first, as they stood at one moment; `stack` closes them. Raises OSError."""
    for _ in range(_MAX_LOOKS):
        names, parts = _names(folder), []
        with ExitStack() as opened:
            try:
                parts = [LogPart(age, name, _open(folder / name, opened)) for age, name in names]
                settled = names == _names(folder) and all(_bears(part.handle, folder / part.name) for part in parts)
            except FileNotFoundError:
                continue
            if settled:
                stack.enter_context(opened.pop_all())
                return parts
    raise OSError(f"the files of {folder} were renamed again and again while they were opened")


def read_lines(folder: Path, more: Callable[[], bool] | None = None) -> Iterator[Line]:
    """Every line of every file, oldest file first. Raises OSError where one cannot be read.

    `more` is asked at the end of the last file: True to look again (also for a new file of that name), False to stop.
    """
    with ExitStack() as stack:
        for part in open_log(folder, stack) if more is None or has_log(folder) else ():
            again = _Follower(folder / LOG_NAME, part.handle, more) if more is not None and part.age == 0 else None
            yield from lines_of(part, again)
        while more is not None and more():
            try:
                part = LogPart(0, LOG_NAME, _open(folder / LOG_NAME, stack))
            except FileNotFoundError:
                continue
            yield from lines_of(part, _Follower(folder / LOG_NAME, part.handle, more))


def lines_of(part: LogPart, again: Callable[[], bool] | None = None) -> Iterator[Line]:
    """The lines of one file, blank ones left out. `again` is asked at its end: True to look for more."""
    number, pending, too_long = 1, b"", False
    while True:
        piece = part.handle.readline(MAX_LINE + 1 - len(pending))
        if not piece:
            if again is None or not again():
                break
            continue
        pending += piece
        if not pending.endswith(b"\n"):
            if len(pending) > MAX_LINE:
                pending, too_long = b"", True
            continue
        yield from _parsed(part.name, number, b"" if too_long else pending[:-1], too_long=too_long)
        number, pending, too_long = number + 1, b"", False
    if pending or too_long:
        yield from _parsed(part.name, number, b"" if too_long else pending, too_long=too_long)


def _names(folder: Path) -> list[tuple[int, str]]:
    found = [(int(match[1]), match[0]) for entry in folder.iterdir() if (match := _ROTATED.fullmatch(entry.name))]
    current = [(0, LOG_NAME)] if (folder / LOG_NAME).exists() else []
    return sorted(found, reverse=True) + current


def _bears(handle: BinaryIO, path: Path) -> bool:
    return os.path.samestat(path.stat(), os.fstat(handle.fileno()))


class _Follower:
    """Says at the end of a file whether to look again: until it was rotated away, and a little longer."""

    _LATE_LOOKS = 8  # a writer notices a rotation within about a second and writes to the old file until then

    def __init__(self, path: Path, handle: BinaryIO, more: Callable[[], bool]) -> None:
        self._path, self._handle, self._more = path, handle, more
        self._left = self._LATE_LOOKS

    def __call__(self) -> bool:
        try:
            replaced = not _bears(self._handle, self._path)
        except FileNotFoundError:
            replaced = True
        self._left -= replaced
        return self._left > 0 and self._more()


def _open(path: Path, stack: ExitStack) -> BinaryIO:
    # A FIFO in a log's place must not hang the reader.
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    return stack.enter_context(os.fdopen(fd, "rb"))


def _parsed(name: str, number: int, data: bytes, *, too_long: bool) -> Iterator[Line]:
    """The lines in one line: none if it is blank, two if a whole one is glued to a torn one."""

    def broken(kind: Kind, part: bytes) -> Line:
        return Line(file=name, number=number, kind=kind, data=part, record={})

    if too_long:
        yield broken("foreign", b"")
    elif line := _record(name, number, data):
        yield line
    elif data:
        for attempt, match in enumerate(_GLUED.finditer(data, 1)):
            if attempt == _MAX_GLUED:
                break
            rest = data[match.start() :]
            if line := _record(name, number, rest):
                torn = data[: match.start()]
                # Whole but for its newline: its writer was told that it failed, and goes on from the line before.
                yield _record(name, number, torn) or broken(_fragment(torn), torn)
                yield line
                return
        yield broken(_fragment(data), data)


def _record(name: str, number: int, data: bytes) -> Line | None:
    try:
        record = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(record, dict):
        return None
    writer, seq = record.get("w"), record.get("n")
    if not isinstance(writer, str) or not 0 < len(writer) <= _MAX_WRITER:
        return None
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        return None
    if not isinstance(record.get("t"), str) or not isinstance(record.get("prev", ""), str):
        return None
    return Line(file=name, number=number, kind="record", data=data, record=record, seq=seq)


def _fragment(data: bytes) -> Kind:
    # A machine that lost power may leave zeros where a line was to be.
    data = data.lstrip(b"\0")
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return "torn" if data.startswith(_BEGINNING) or _BEGINNING.startswith(data) else "foreign"
    return "foreign"
