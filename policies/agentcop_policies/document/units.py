"""Durations and sizes as people write them in a policy: `15m`, `1MiB`."""

from __future__ import annotations

import math
import re
from typing import Final

_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}

_SIZE: Final = re.compile(r"([0-9]{1,12})\s?(B|kB|KB|MB|GB|KiB|MiB|GiB|k|m|g|K|M|G)", re.ASCII)
_BYTES: Final = {
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
    # A bare letter is binary, as Docker and Podman read their limits.
    "k": 1024,
    "m": 1024**2,
    "g": 1024**3,
}


def seconds(value: object) -> float:
    """A duration in seconds: a number of seconds, or a number with ms, s, m, h or d; above zero and finite.

    Raises ValueError with what was expected.
    """
    number = math.nan
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    elif isinstance(value, str) and (found := _DURATION.fullmatch(value)):
        number = float(found[1]) * _SECONDS[found[2]]
    if not (math.isfinite(number) and number > 0):
        message = "expected a duration above zero, such as 30s, 15m, 1h or a number of seconds"
        raise ValueError(message)
    return number


def size(value: object) -> int:
    """A size in bytes: a number of bytes, or a number with B, kB, MB, GB, KiB, MiB, GiB, k, m or g; above zero.

    Raises ValueError with what was expected.
    """
    number = 0
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and (found := _SIZE.fullmatch(value)):
        number = int(found[1]) * _BYTES[found[2].lower()]
    if number <= 0:
        message = "expected a size above zero, such as 256KiB, 1MiB or a number of bytes"
        raise ValueError(message)
    return number
