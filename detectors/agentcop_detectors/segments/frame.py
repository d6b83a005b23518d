"""One request as it lies in the segment log: a header that says how long and how sound it is, then the body.

    magic "AF" │ version u8 │ encoding u8 │ length u32 │ crc32c u32 │ received u64 ns │ source u16 length + UTF-8 │ body

Little-endian. The checksum covers all that stands behind it. A reader stops at the first frame that does not hold:
what comes after a torn one was never acknowledged.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, NamedTuple

import google_crc32c

_HEAD: Final = struct.Struct("<2sBBII")
_REST: Final = struct.Struct("<QH")
_MAGIC: Final = b"AF"
_VERSION: Final = 1
HEADER_BYTES: Final = _HEAD.size + _REST.size
MAX_BODY: Final = 64 * 1024 * 1024
_MAX_SOURCE: Final = 256


class Encoding(IntEnum):
    """How the body is to be read."""

    PROTOBUF = 1
    """ExportTraceServiceRequest, binary."""
    JSON = 2
    """The same as OTLP/JSON."""


class Frame(NamedTuple):
    """One acknowledged request."""

    encoding: Encoding
    received: int
    """Nanoseconds since the epoch, by our clock."""
    source: str
    """Who sent it: the name of the token, or `spool`; decides for which agents it may speak."""
    body: bytes


class Torn(ValueError):  # noqa: N818 -- what the bytes are
    """No whole, sound frame begins here."""


def encode(frame: Frame) -> tuple[bytes, bytes]:
    """Header and body, to be written one after the other. Raises ValueError where a bound is passed."""
    source = frame.source.encode("utf-8", "backslashreplace")
    if len(source) > _MAX_SOURCE or len(frame.body) > MAX_BODY:
        raise ValueError(f"a frame of {len(frame.body)} bytes from a source of {len(source)} is over the bounds")
    rest = _REST.pack(frame.received, len(source)) + source
    checksum = google_crc32c.extend(google_crc32c.value(rest), frame.body)
    return _HEAD.pack(_MAGIC, _VERSION, frame.encoding, len(frame.body), checksum) + rest, frame.body


def decode(data: memoryview) -> tuple[Frame, int]:
    """The frame that `data` begins with, and its length in bytes. Raises Torn."""
    if len(data) < HEADER_BYTES:
        raise Torn("the header is cut")
    magic, version, encoding, length, checksum = _HEAD.unpack_from(data)
    received, source_length = _REST.unpack_from(data, _HEAD.size)
    end = HEADER_BYTES + source_length + length
    if magic != _MAGIC or version != _VERSION or length > MAX_BODY or source_length > _MAX_SOURCE or end > len(data):
        raise Torn("this is no frame, or its end is missing")
    behind = bytes(data[_HEAD.size : end])
    if google_crc32c.value(behind) != checksum:
        raise Torn("the checksum does not hold")
    source = behind[_REST.size : _REST.size + source_length].decode("utf-8", "replace")
    body = behind[_REST.size + source_length :]
    try:
        return Frame(Encoding(encoding), received, source, body), end
    except ValueError as error:
        raise Torn(f"encoding {encoding} is not known") from error
