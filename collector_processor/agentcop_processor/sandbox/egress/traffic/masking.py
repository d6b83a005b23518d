"""What came back from a place that was given a secret, without that secret: a place may echo what it was sent."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final

_SHORTEST: Final = 8
"""Bytes a part of a secret needs to be looked for by itself; shorter ones stand in too much that is none."""


def needles(value: str) -> tuple[bytes, ...]:
    """The forms in which a header's value is looked for: whole, its last word, what `Basic` hides; longest first."""
    whole = value.encode("latin-1")
    found = {whole, json.dumps(value)[1:-1].encode()}
    word = whole.rpartition(b" ")[2]
    parts = {word}
    if whole[:6].lower() == b"basic ":
        try:
            plain = base64.b64decode(word, validate=True)
        except binascii.Error:
            plain = b""
        parts |= {plain, plain.partition(b":")[2]}
    found |= {part for part in parts if len(part) >= _SHORTEST}
    return tuple(sorted(found, key=len, reverse=True))


def masked(data: bytes, secrets: tuple[bytes, ...]) -> bytes:
    """`data` with each of `secrets` as so many asterisks: lengths stay."""
    for secret in secrets:
        if secret in data:
            data = data.replace(secret, b"*" * len(secret))
    return data


class Mask:
    """The same for a stream, across the borders of its pieces; holds back less than the longest secret."""

    __slots__ = ("_held", "_secrets")

    def __init__(self, secrets: tuple[bytes, ...]) -> None:
        """`secrets`: see `needles`."""
        self._secrets = secrets
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What may go on of what came so far."""
        data = masked(self._held + data, self._secrets)
        keep = self._open_end(data)
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep]

    def end(self) -> bytes:
        """What was held back: the stream ended before it became a secret."""
        held, self._held = self._held, b""
        return held

    def _open_end(self, data: bytes) -> int:
        """How many of the last bytes could be the beginning of a secret."""
        longest = 0
        for secret in self._secrets:
            for size in range(min(len(secret) - 1, len(data)), longest, -1):
                if data.endswith(secret[:size]):
                    longest = size
                    break
        return longest
