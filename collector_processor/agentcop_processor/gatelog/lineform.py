"""The form of one gate.log line: its fields, its time; never a raw newline, never invalid JSON."""

from __future__ import annotations

import errno
import json
import time
from typing import TYPE_CHECKING

import orjson

from agentcop_processor.gatelog.chain import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OURS = frozenset({"t", "w", "n", "prev"})
_MAX_ARGS = MAX_LINE - 65_536
_LAST = 253_402_300_799.0  # the last second of the year 9999


class Stamp:
    """RFC 3339 in UTC with microseconds, in ASCII. Not thread-safe: its owner holds a lock."""

    __slots__ = ("_now", "_prefix", "_second")

    def __init__(self, now: Callable[[], float]) -> None:
        """`now`: seconds since the epoch."""
        self._now = now
        self._second = -1
        self._prefix = b""

    def __call__(self) -> bytes:
        """The time now, as `2025-01-31T23:59:59.000001Z`; the part down to seconds is formatted once a second."""
        at = self._now()
        if not 0.0 <= at <= _LAST:  # a clock that was set to where no date is must not take the log with it
            at = 0.0
        second = int(at)
        if second != self._second:
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
            self._second = second
        return b"%b.%06dZ" % (self._prefix, int((at - second) * 1_000_000))


def line_body(fields: Mapping[str, object], raw_args: bytes | None) -> bytes:
    """`fields` in their order as the inside of a JSON object; empty ones and the chain's own are left out.

    `raw_args` take the place of `args`, or stand last. Raises OSError if there is no `kind`, or what JSON cannot say
    even as `repr` (a circular value).
    """
    record = dict(fields)
    if raw_args is not None:
        record["args"] = orjson.Fragment(_one_line(raw_args))
    if "kind" not in record:
        raise OSError(errno.EINVAL, "a line of gate.log needs a kind")
    values = record.values()
    if None in values or "" in values or not _OURS.isdisjoint(record):
        record = {name: value for name, value in record.items() if _is_said(name, value)}
    line = _quickly(record) or orjson.dumps({name: _said(value) for name, value in record.items()})
    return line[1:-1]


def _quickly(record: dict[str, object]) -> bytes | None:
    """The record as the quick writer says it; None if it holds something that the quick writer refuses."""
    try:
        return orjson.dumps(record)
    except TypeError:
        return None


def _is_said(name: str, value: object) -> bool:
    return value is not None and value != "" and name not in _OURS


def _one_line(raw_args: bytes) -> bytes:
    """`raw_args`, or what stands for them where they would break the log: a count of their bytes."""
    if len(raw_args) > _MAX_ARGS:
        return b'{"$omitted_bytes":%d}' % len(raw_args)
    # Canonical JSON holds no raw newline: this is not JSON of ours, so it goes in as a string.
    return raw_args if b"\n" not in raw_args else orjson.dumps(raw_args.decode("utf-8", "replace"))


def _said(value: object) -> object:
    """`value`, or JSON text for what orjson refuses: integers beyond 64 bits, lone surrogates, foreign objects."""
    if isinstance(value, orjson.Fragment):
        return value
    try:
        text = json.dumps(value, default=repr, ensure_ascii=False, allow_nan=False)
    except Exception as error:
        message = f"gate.log cannot say a {type(value).__name__}: {error}"
        raise OSError(errno.EINVAL, message) from error
    return orjson.Fragment(text.encode("utf-8", "replace"))
