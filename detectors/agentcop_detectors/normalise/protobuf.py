"""Spans out of a binary request, and of each only what is read: the path that every acknowledged span takes.

An attribute of the plain form (key, then value, each once, lengths that add up) is read from its bytes; any other goes
through protobuf's own parser. Nothing is searched for in bytes: text inside an attribute cannot pass for a field.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError

from agentcop_detectors.normalise.lean import EVENT, PAIR, REQUEST, RESOURCE
from agentcop_detectors.normalise.names import EVENTS, NUMBERS, WANTED, put
from agentcop_detectors.normalise.raw import DEEPEST, TEXT_BYTES, RawSpan, cut, double, nested_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentcop_detectors.normalise.names import Wanted

_KEY, _VALUE, _STRING, _INT = 0x0A, 0x12, 0x0A, 0x18
_ONE_BYTE: Final = 0x80
_NUMBER_BYTES: Final = 6

_RESOURCES_HELD: Final = 256
_RESOURCE_BYTES: Final = 4_096
_KNOWN_BYTES: Final = 128
_KNOWN_HELD: Final = 8_192
_REPEATED: Final = frozenset(
    {
        "agent",
        "agent_instance",
        "agent_name",
        "decided_by",
        "environment",
        "mode",
        "model",
        "operation",
        "policy_digest",
        "policy_version",
        "rule",
        "session_id",
        "span_kind",
        "tool",
        "verdict",
    }
)
"""Words whose attributes come again and again: they are read once, and known by all of their bytes from then on."""
_TEXTS: Final = {key: (word, rank, word in _REPEATED) for key, (word, rank) in WANTED.items() if word not in NUMBERS}
"""What the fast way reads: attribute to word, rank, and whether it is worth remembering. All else goes the long way."""
_known: dict[bytes, tuple[str, int, str]] = {}
_resources: dict[bytes, tuple[dict[str, Any], int]] = {}


def spans_of(body: bytes) -> Iterator[RawSpan]:
    """The spans of a binary request. Raises DecodeError for what is none; a bad attribute is left out and counted."""
    for resource_spans in REQUEST.FromString(body).resource_spans:
        resource, spoiled_above = _resource(resource_spans.resource)
        for scope_spans in resource_spans.scope_spans:
            scope = cut(scope_spans.scope.name)
            for span in scope_spans.spans:
                words, spoiled = words_of(span.attributes, span.events)
                status = span.status
                message = status.message
                yield RawSpan(
                    span.trace_id,
                    span.span_id,
                    span.parent_span_id,
                    cut(span.name),
                    span.start,
                    span.end,
                    span.kind,
                    status.code,
                    cut(message) if message else "",
                    scope,
                    resource,
                    words,
                    spoiled + spoiled_above,
                )


def words_of(attributes: Sequence[bytes], events: Sequence[bytes] = ()) -> tuple[dict[str, Any], int]:
    """What is read of a span's attributes and events, by its words; and how many of them could not be read."""
    found: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    spoiled = _read(attributes, found, ranks)
    for raw in events:
        try:
            event = EVENT.FromString(raw)
        except DecodeError:
            spoiled += 1
            continue
        table = EVENTS.get(event.name)
        if table is None:
            continue
        for attribute in event.attributes:
            try:
                put_parsed(found, ranks, table, attribute)
            except DecodeError:
                spoiled += 1
    return found, spoiled


def _resource(raw: bytes) -> tuple[dict[str, Any], int]:
    """The words of a resource: a client sends the same one with every request."""
    known = _resources.get(raw)
    if known is not None:
        return known
    read = words_of(RESOURCE.FromString(raw).attributes)
    if len(raw) <= _RESOURCE_BYTES:
        if len(_resources) >= _RESOURCES_HELD:
            _resources.clear()
        _resources[raw] = read
    return read


def _read(  # noqa: C901, PLR0912 -- an attribute is read in place: calls would cost more than what they do
    attributes: Sequence[bytes], found: dict[str, Any], ranks: dict[str, int]
) -> int:
    """Adds what is read of a span's attributes; how many of them could not be."""
    spoiled = 0
    known, texts = _known.get, _TEXTS.get
    for raw in attributes:
        size = len(raw)
        if size <= _KNOWN_BYTES:
            before = known(raw)
            if before is not None:
                word, rank, same = before
                if word not in found or rank <= ranks.get(word, 0):
                    found[word] = same
                    if rank or word in ranks:
                        ranks[word] = rank
                continue
        # 0A LEN KEY 12 LEN VALUE, lengths of one byte for the key and up to two for the value, and nothing else.
        if size > 4 and raw[0] == _KEY and raw[1] < _ONE_BYTE:  # noqa: PLR2004 -- the smallest such attribute
            behind = raw[1] + 2
            if behind + 1 < size and raw[behind] == _VALUE:
                length = raw[behind + 1]
                start = behind + 2
                if length >= _ONE_BYTE and start < size and raw[start] < _ONE_BYTE:
                    length = (length & 0x7F) | raw[start] << 7
                    start += 1
                if start + length == size and (length < _ONE_BYTE or start == behind + 3):
                    key = raw[2:behind]
                    as_text = texts(key)
                    if as_text is not None:
                        text = _plain_text(raw, start, size)
                        word, rank, repeated = as_text
                        if text is not None:
                            if word not in found or rank <= ranks.get(word, 0):
                                found[word] = text
                                if rank or word in ranks:
                                    ranks[word] = rank
                            if repeated and size <= _KNOWN_BYTES:
                                _remember(raw, word, rank, text)
                            continue
                    else:
                        wanted = WANTED.get(key)
                        if wanted is None:
                            continue
                        number = _plain_number(raw, start, size)
                        if number is not None:
                            put(found, ranks, wanted, number)
                            continue
        try:
            put_parsed(found, ranks, WANTED, raw)
        except DecodeError:
            spoiled += 1
    return spoiled


def _remember(raw: bytes, word: str, rank: int, text: str) -> None:
    if len(_known) >= _KNOWN_HELD:
        _known.clear()
    _known[raw] = (word, rank, text)


def _plain_text(raw: bytes, start: int, size: int) -> str | None:
    """The text of an AnyValue in `raw[start:size]` that holds a text in the plain form; None for any other."""
    if size - start < 2 or raw[start] != _STRING:  # noqa: PLR2004 -- a tag and a length
        return None
    length = raw[start + 1]
    begin = start + 2
    if length >= _ONE_BYTE:
        if begin >= size or raw[begin] >= _ONE_BYTE:
            return None
        length = (length & 0x7F) | raw[begin] << 7
        begin += 1
    if begin + length != size:
        return None
    return raw[begin:size].decode("utf-8", "replace") if length <= TEXT_BYTES else cut(raw[begin:size])


def _plain_number(raw: bytes, start: int, size: int) -> int | None:
    """The number of an AnyValue that holds one of at most four bytes in the plain form; None for any other."""
    if not 1 < size - start < _NUMBER_BYTES or raw[start] != _INT:
        return None
    number = 0
    for place, byte in enumerate(raw[start + 1 : size]):
        number |= (byte & 0x7F) << 7 * place
        if byte < _ONE_BYTE:
            return number if start + 2 + place == size else None
    return None


def put_parsed(found: dict[str, Any], ranks: dict[str, int], table: dict[bytes, Wanted], raw: bytes) -> None:
    """An attribute in another form than clients write: protobuf's own parser says what it is. Raises DecodeError."""
    pair = PAIR.FromString(raw)
    wanted = table.get(pair.key)
    if wanted is not None and (value := _any_value(pair.value)) is not None:
        put(found, ranks, wanted, value)


def _any_value(value: Any) -> str | float | None:  # noqa: ANN401, PLR0911 -- a message made at run time; a case a kind
    """An AnyValue as attributes hold it. Raises DecodeError for a list or map that is too large."""
    match value.WhichOneof("value"):
        case "string_value":
            return cut(value.string_value)
        case "int_value":
            number: int = value.int_value
            return number
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "double_value":
            return double(value.double_value)
        case "bytes_value":
            return cut(base64.b64encode(value.bytes_value[:TEXT_BYTES]))
        case "array_value" | "kvlist_value":
            text = nested_text(_plain(value, DEEPEST))
            if text is None:
                raise DecodeError("a list or map that is too large")
            return text
        case _:
            return None


def _plain(value: Any, depth: int) -> Any:  # noqa: ANN401, PLR0911 -- a message made at run time; a case a kind
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value.decode("utf-8", "replace")
        case "int_value":
            return value.int_value
        case "bool_value":
            return value.bool_value
        case "double_value":
            return value.double_value
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value" if depth:
            return [_plain(each, depth - 1) for each in value.array_value.values]
        case "kvlist_value" if depth:
            pairs = value.kvlist_value.values
            return {pair.key.decode("utf-8", "replace"): _plain(pair.value, depth - 1) for pair in pairs}
        case _:
            return None
