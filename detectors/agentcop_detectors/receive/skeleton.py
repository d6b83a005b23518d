"""A request taken apart as far as its spans, each left as bytes: enough to count them and to know that it is sound.

The messages are OTLP's own with `spans` redeclared as bytes, which is the same on the wire; upb then skips what the
front has no use for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

if TYPE_CHECKING:
    from google.protobuf.message import Message

_PACKAGE: Final = "agentcop.skeleton"
_LABEL_OPTIONAL, _LABEL_REPEATED = 1, 3
_TYPE_BYTES, _TYPE_MESSAGE = 12, 11


def _declare() -> type[Message]:
    file = descriptor_pb2.FileDescriptorProto(name="agentcop/skeleton.proto", package=_PACKAGE, syntax="proto3")

    def message(name: str, *fields: tuple[str, int, int, str]) -> None:
        declared = file.message_type.add(name=name)
        for field, number, label, of in fields:
            added = declared.field.add(name=field, number=number, label=label)
            if of:
                added.type = _TYPE_MESSAGE  # type: ignore[assignment]  # as above
                added.type_name = f".{_PACKAGE}.{of}"
            else:
                added.type = _TYPE_BYTES  # type: ignore[assignment]  # as above

    message("Request", ("resource_spans", 1, _LABEL_REPEATED, "ResourceSpans"))
    message(
        "ResourceSpans",
        ("resource", 1, _LABEL_OPTIONAL, ""),
        ("scope_spans", 2, _LABEL_REPEATED, "ScopeSpans"),
        ("schema_url", 3, _LABEL_OPTIONAL, ""),
    )
    message(
        "ScopeSpans",
        ("scope", 1, _LABEL_OPTIONAL, ""),
        ("spans", 2, _LABEL_REPEATED, ""),
        ("schema_url", 3, _LABEL_OPTIONAL, ""),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made: type[Message] = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Request"))
    return made


SKELETON: Final[Any] = _declare()
"""`resource_spans` → `scope_spans` → `spans`, the last as bytes."""


class Malformed(ValueError):  # noqa: N818 -- what the request is
    """Not what it says it is: sending it again will not help."""


class Counted(NamedTuple):
    """A request that can be kept."""

    body: bytes
    """What is kept of it: as it came, unless spans were left out."""
    spans: int
    rejected: int
    """Spans over the limit, left out of `body`."""


def count_spans(body: bytes, largest: int) -> Counted:
    """Check a binary request and leave out spans over `largest` bytes. Raises Malformed."""
    try:
        request = SKELETON.FromString(body)
    except DecodeError:
        raise Malformed("the body is no ExportTraceServiceRequest") from None
    spans = rejected = 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            sizes = list(map(len, scope.spans))
            spans += len(sizes)
            if sizes and max(sizes) > largest:
                kept = [span for span in scope.spans if len(span) <= largest]
                rejected += len(sizes) - len(kept)
                del scope.spans[:]
                scope.spans.extend(kept)
    if rejected:
        body = request.SerializeToString()
    return Counted(body, spans - rejected, rejected)
