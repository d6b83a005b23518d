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
        second = int(at)
        if second != self._second:
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
            self._second = second
        return b"%b.%06dZ" % (self._prefix, int((at - second) * 1_000_000))


def line_body(fields: Mapping[str, object], raw_args: bytes | None) -> bytes:
    """`fields` in their order as the inside of a JSON object; empty ones and the chain's own are left out.

    `args` stand after `tool`. Raises OSError if there is no `kind`, or what JSON cannot say even as `repr` (a circular
    value).
    """
    record: dict[str, object] = {}
    for name, value in fields.items():
        if value is None or value == "" or name in _OURS:
            continue
        record[name] = value
        if name == "tool" and raw_args is not None:
            record["args"] = orjson.Fragment(_one_line(raw_args))
    if "kind" not in record:
        raise OSError(errno.EINVAL, "a line of gate.log needs a kind")
    try:
        return orjson.dumps(record)[1:-1]
    except TypeError:
        return orjson.dumps({name: _said(value) for name, value in record.items()})[1:-1]


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
