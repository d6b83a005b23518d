"""Values without parts: what stands for each in canonical JSON.

Every function takes an instance of exactly the type it is registered for and gives the value that the tool's body
receives and its JSON-shaped form; `None` in place of the pair if the instance is tied to code that is not Python's own.
"""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from pathlib import PosixPath, PurePath, PurePosixPath, PureWindowsPath, WindowsPath
from types import NoneType
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable

Pair = tuple[object, object]
"""What runs, and what is judged."""

_SMALLEST: Final = -(2**63)
_BEYOND: Final = 2**64
_DECIMAL_BITS: Final = 2048
"""Wider integers are written in hex: decimal takes quadratic time, and CPython's limit on it is a setting."""


def integer(value: int) -> object:
    """The integer itself while 64 bits hold it, else `{"$int": "…"}` in decimal, beyond 2048 bits in hex."""
    if _SMALLEST <= value < _BEYOND:
        return value
    return {"$int": f"{value:d}" if value.bit_length() <= _DECIMAL_BITS else f"{value:#x}"}


def real(value: float) -> object:
    """The float itself, or `{"$float": "nan" | "inf" | "-inf"}`; -0.0 and 0.0 stay apart."""
    return value if math.isfinite(value) else {"$float": str(value)}


def binary(value: bytes | bytearray) -> object:
    """Bytes stand as their SHA-256 and length."""
    return {"$bytes": {"sha256": sha256(value).hexdigest(), "length": len(value)}}


def _bytes(value: bytes) -> Pair:
    return value, binary(value)


def _bytearray(value: bytearray) -> Pair:
    copy = bytearray(value)
    return copy, binary(copy)


def _memoryview(value: memoryview) -> Pair | None:
    if value.ndim != 1 or value.format != "B":
        return None
    copy = value.tobytes()
    return memoryview(copy if value.readonly else bytearray(copy)), binary(copy)


def _path(value: PurePath) -> Pair:
    shown = str(value)
    return type(value)(shown), shown


def _uuid(value: UUID) -> Pair:
    copy = UUID(int=value.int)
    return copy, str(copy)


def _decimal(value: Decimal) -> Pair:
    return value, str(value)


def _date(value: date) -> Pair:
    return value, value.isoformat()


def _moment(value: datetime | time) -> Pair | None:
    zone = value.tzinfo
    if zone is not None and type(zone) is not timezone and type(zone) is not ZoneInfo:
        return None  # isoformat would ask the zone's own code
    return value, value.isoformat()


def _duration(value: timedelta) -> Pair:
    return value, f"P{value.days}DT{value.seconds}.{value.microseconds:06}S"


LEAVES: Final[dict[type, Callable[[Any], Pair | None]]] = {
    bytes: _bytes,
    bytearray: _bytearray,
    memoryview: _memoryview,
    PosixPath: _path,
    WindowsPath: _path,
    PurePosixPath: _path,
    PureWindowsPath: _path,
    UUID: _uuid,
    Decimal: _decimal,
    date: _date,
    datetime: _moment,
    time: _moment,
    timedelta: _duration,
}

KEYS: Final = frozenset({NoneType, bool, int, float, str, *LEAVES} - {bytearray, memoryview})
"""Types whose hash is Python's own: they can be keys and set members of the copy."""


_SMALL_DECIMAL: Final = Decimal(0).__sizeof__()


def weight(value: Any, kind: type) -> int:  # noqa: ANN401 -- an instance of `kind`
    """How many bytes a leaf holds, known before any of it is copied."""
    if kind is memoryview:
        return int(value.nbytes)
    if kind is bytes or kind is bytearray:
        return len(value)
    return int(value.__sizeof__()) - _SMALL_DECIMAL if kind is Decimal else 0
