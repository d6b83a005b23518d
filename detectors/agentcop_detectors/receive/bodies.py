"""From what a client sent to what is kept: unpacked within bounds, checked, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from isal import isal_zlib
from isal.igzip_lib import IsalError

from agentcop_detectors.receive.skeleton import Counted, Malformed, count_spans
from agentcop_detectors.segments.frame import Encoding

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LARGEST_SPAN", "MAX_BODY", "Malformed", "TooLarge", "checked", "unpacked"]

MAX_BODY: Final = 16 * 1024 * 1024
"""Bytes of a request, packed and unpacked alike."""
LARGEST_SPAN: Final = 1024 * 1024
"""Bytes of one span; a larger one is rejected and said so, the others of its request are kept."""
_GZIP: Final = 31


class TooLarge(ValueError):  # noqa: N818 -- what the request is
    """Over the bound: a smaller batch may be taken."""


def unpacked(body: bytes, coding: str, limit: int = MAX_BODY) -> bytes:
    """`body` out of its Content-Encoding. Raises TooLarge past `limit`, Malformed for what does not unpack.

    A bomb costs at most `limit` bytes: unpacking stops there.
    """
    if coding in {"", "identity"}:
        found = body
    elif coding == "gzip":
        found = _gunzip(body, limit)
    else:
        raise Malformed(f"Content-Encoding {coding[:40]!r} is not supported: use gzip or none")
    if len(found) > limit:
        raise TooLarge(f"the request is over {limit} bytes")
    return found


def checked(body: bytes, encoding: Encoding, largest: int = LARGEST_SPAN) -> Counted:
    """What is kept of an unpacked body, with its spans counted. Raises Malformed."""
    if encoding is Encoding.PROTOBUF:
        return count_spans(body, largest)
    return _checked_json(body, largest)


def _gunzip(body: bytes, limit: int) -> bytes:
    unpack = isal_zlib.decompressobj(wbits=_GZIP)
    try:
        found = unpack.decompress(body, limit + 1)
    except (IsalError, ValueError):  # type: ignore[misc]  # the stub forgets its base class
        raise Malformed("the body is not gzip") from None
    if len(found) > limit or unpack.unconsumed_tail:
        raise TooLarge(f"the request unpacks to more than {limit} bytes")
    if not unpack.eof or unpack.unused_data:
        raise Malformed("the gzip body is cut, or something stands behind it")
    return bytes(found)


def _checked_json(body: bytes, largest: int) -> Counted:
    try:
        request = orjson.loads(body)  # refuses what nests more than 1,024 deep
    except orjson.JSONDecodeError:
        raise Malformed("the body is no JSON that can be read") from None
    spans = rejected = 0
    for scope in _scopes(request):
        given = _list_of(scope, "spans", "scope_spans")
        if any(not isinstance(span, dict) for span in given):
            raise Malformed("a span is no object")
        kept = [span for span in given if _size(span) <= largest] if len(body) > largest else given
        spans += len(kept)
        rejected += len(given) - len(kept)
        if len(kept) < len(given):
            scope["spans"] = kept
    if rejected:
        try:
            body = orjson.dumps(request)
        except TypeError:
            raise Malformed("the body nests too deep") from None
    return Counted(body, spans, rejected)


def _size(span: dict[str, Any]) -> int:
    """Bytes of a span. Raises Malformed for one that orjson read and cannot write: it writes 254 levels."""
    try:
        return len(orjson.dumps(span))
    except TypeError:
        raise Malformed("a span nests too deep") from None


def _scopes(request: object) -> Iterable[dict[str, Any]]:
    for resource in _objects(request, "resourceSpans"):
        yield from _objects(resource, "scopeSpans")


def _objects(owner: object, name: str) -> list[dict[str, Any]]:
    found = _list_of(owner, name, name)
    if any(not isinstance(each, dict) for each in found):
        raise Malformed(f"{name} must be a list of objects")
    return found


def _list_of(owner: object, name: str, what: str) -> list[Any]:
    if not isinstance(owner, dict):
        raise Malformed("the body is no ExportTraceServiceRequest")
    found = owner.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Malformed(f"{what} must be a list")
    return found
