"""How host and box talk: length-prefixed frames; a message is one frame of JSON and the raw frames that it announces.

JSON is read and written without the package `json` where CPython has its two C functions: importing that package takes
as long as starting Python does.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes 3 ms of a start of 12
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    Raw = bytes | bytearray | memoryview
    R = TypeVar("R", bytes, bytearray)

MAX_FRAME = 16 * 1024 * 1024
"""Bytes; longer frames are refused by whoever reads them."""
MAX_FRAMES = 8
"""Raw frames behind a message; the protocol needs three."""
HEADER = 4
"""Bytes of a frame's length, big-endian."""


class BadFrame(ValueError):  # noqa: N818 -- an answer about what was read, not a fault
    """What was read is no frame or no message; nothing of the text is in the reason."""


def dumps(value: object) -> bytes:
    """JSON in UTF-8, lone surrogates as they are. Raises ValueError for nan, TypeError for an object."""
    try:
        return "".join(_encode(value)).encode("utf-8", "surrogatepass")
    except RecursionError:
        raise ValueError("nested too deeply for JSON") from None


def loads(data: Raw) -> object:
    """What hostile JSON says. Raises ValueError only: for nan, numbers of thousands of digits, deep nesting as well."""
    text = str(data, "utf-8", "surrogatepass").strip(" \t\r\n")
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        raise ValueError("no JSON") from None
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
    if end != len(text):
        raise ValueError("text behind the JSON")
    return value


def size_of(header: Raw) -> int:
    """The length that a frame's first four bytes say. Raises BadFrame."""
    size = int.from_bytes(header, "big")
    if len(header) != HEADER or size > MAX_FRAME:
        raise BadFrame(f"a frame of {size} bytes; at most {MAX_FRAME} are read")
    return size


def header_of(data: Raw) -> bytes:
    """The four bytes that go before `data`. Raises BadFrame where it is too long for a frame."""
    if len(data) > MAX_FRAME:
        raise BadFrame(f"a frame of {len(data)} bytes; at most {MAX_FRAME} are sent")
    return len(data).to_bytes(HEADER, "big")


def packed(message: dict[str, object], frames: Sequence[Raw] = ()) -> list[Raw]:
    """The pieces to write in this order: the message, told how many raw frames follow, and those. Raises BadFrame."""
    told = dumps({**message, "frames": len(frames)} if frames else message)
    return [piece for data in (told, *frames) for piece in (header_of(data), data)]


def receive(read: Callable[[int], R]) -> tuple[dict[str, object], list[R]]:
    """The next message and its raw frames; `read` gives exactly as many bytes as it is asked for, or raises.

    Raises BadFrame for what is none, and what `read` raises.
    """
    try:
        message = loads(read(size_of(read(HEADER))))
    except BadFrame:
        raise
    except ValueError:
        raise BadFrame("a message that is no JSON") from None
    if type(message) is not dict:
        raise BadFrame("a message that is no JSON object")
    count = message.get("frames", 0)
    if type(count) is not int or not 0 <= count <= MAX_FRAMES:
        raise BadFrame("a message with an impossible number of frames")
    return message, [read(size_of(read(HEADER))) for _ in range(count)]


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _no_default(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is no JSON")


class _Reading:
    """What CPython's scanner asks its decoder for."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_no_constant)
    array_hook = None
    memo: dict[str, str] = {}  # noqa: RUF012 -- only the scanner written in Python uses it, and empties it


def _codec() -> tuple[Callable[[str, int], tuple[object, int]], Callable[[object], Sequence[str]]]:
    try:
        from _json import encode_basestring, make_encoder, make_scanner

        encoder = make_encoder(None, _no_default, encode_basestring, None, ":", ",", False, False, False)  # noqa: FBT003 -- C

        def encode(value: object) -> Sequence[str]:
            pieces: Sequence[str] = encoder(value, 0)
            return pieces

        reading: Any = _Reading()
        scan = make_scanner(reading)
        if scan('{"a":[1.5]}', 0) == ({"a": [1.5]}, 11) and "".join(encode({"a": [1.5]})) == '{"a":[1.5]}':
            return scan, encode
    except (ImportError, TypeError, AttributeError):
        pass  # another Python, where these are others
    import json

    decoder: Any = json.JSONDecoder(parse_constant=_no_constant)
    writer = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"), check_circular=False)
    return decoder.scan_once, lambda value: (writer.encode(value),)


_scan, _encode = _codec()
