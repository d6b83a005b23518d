"""Both decoders against protobuf's own parser, for messages that are legal and for any others."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agentcop_detectors.normalise import json_form, protobuf
from agentcop_detectors.normalise.names import EVENTS, WANTED, put
from agentcop_detectors.normalise.raw import TEXT_BYTES, cut
from otlp_requests import as_json, request

KEYS = sorted(key.decode() for key in WANTED)
EVENT_NAMES = sorted(name.decode() for name in EVENTS)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def scalars() -> st.SearchStrategy[AnyValue]:
    return st.one_of(
        st.builds(lambda text: AnyValue(string_value=text), TEXT),
        st.builds(lambda number: AnyValue(int_value=number), st.integers(-(2**63), 2**63 - 1)),
        st.builds(lambda flag: AnyValue(bool_value=flag), st.booleans()),
        st.builds(lambda number: AnyValue(double_value=number), st.floats()),
        st.builds(lambda raw: AnyValue(bytes_value=raw), st.binary(max_size=50)),
        st.just(AnyValue()),
    )


def values() -> st.SearchStrategy[AnyValue]:
    return st.recursive(
        scalars(),
        lambda inner: st.one_of(
            st.builds(lambda each: AnyValue(array_value=ArrayValue(values=each)), st.lists(inner, max_size=3)),
            st.builds(
                lambda each: AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key=k, value=v) for k, v in each])),
                st.lists(st.tuples(TEXT, inner), max_size=3),
            ),
        ),
        max_leaves=5,
    )


pairs = st.lists(
    st.builds(lambda key, value: KeyValue(key=key, value=value), st.one_of(st.sampled_from(KEYS), TEXT), values()),
    max_size=6,
)
events = st.lists(
    st.builds(
        lambda name, given_pairs: Span.Event(name=name, attributes=given_pairs),
        st.one_of(st.sampled_from(EVENT_NAMES), TEXT),
        st.lists(
            st.builds(
                lambda key, value: KeyValue(key=key, value=value),
                st.sampled_from(sorted(key.decode() for keys in EVENTS.values() for key in keys)),
                scalars(),
            ),
            max_size=3,
        ),
    ),
    max_size=3,
)


def reference(given_pairs: list[KeyValue], given_events: list[Span.Event] | None = None) -> dict[str, Any]:
    """What protobuf's own parser and its JSON form say that a span's attributes are."""
    found: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    for pair in given_pairs:
        wanted = WANTED.get(pair.key.encode())
        if wanted is not None and (value := plain_value(pair.value)) is not None:
            put(found, ranks, wanted, value)
    for event in given_events or []:
        for pair in event.attributes:
            wanted = EVENTS.get(event.name.encode(), {}).get(pair.key.encode())
            if wanted is not None and (value := plain_value(pair.value)) is not None:
                put(found, ranks, wanted, value)
    return found


def plain_value(value: AnyValue) -> Any:  # noqa: PLR0911 -- a case a kind
    import base64

    match value.WhichOneof("value"):
        case "bool_value":
            return str(value.bool_value).lower()
        case "double_value":
            return value.double_value if math.isfinite(value.double_value) else str(value.double_value)
        case "string_value":
            return cut(value.string_value.encode())
        case "int_value":
            return value.int_value
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value" | "kvlist_value":
            return cut(orjson.dumps(nested(value)))
        case _:
            return None


def nested(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case "array_value":
            return [nested(each) for each in value.array_value.values]
        case "kvlist_value":
            return {each.key: nested(each.value) for each in value.kvlist_value.values}
        case "bytes_value":
            return plain_value(value)
        case None:
            return None
        case kind:
            return getattr(value, kind)


@given(pairs, events)
def test_every_legal_attribute_is_read_as_protobuf_reads_it(
    given_pairs: list[KeyValue], given_events: list[Span.Event]
) -> None:
    attributes = [pair.SerializeToString() for pair in given_pairs]
    raw_events = [event.SerializeToString() for event in given_events]

    assert protobuf.words_of(attributes, raw_events) == (reference(given_pairs, given_events), 0)


def mutilated(raw: bytearray, more: bytes, data: st.DataObject) -> bytes:
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "append"])):
            case "flip" if at < len(raw):
                raw[at] = data.draw(st.integers(0, 255))
            case "cut":
                del raw[at:]
            case "insert":
                raw[at:at] = data.draw(st.binary(max_size=4))
            case "append":
                raw += more
            case _:
                pass
    return bytes(raw)


@given(pairs.filter(bool), st.data())
def test_every_mutilated_attribute_is_read_as_protobuf_reads_it(
    given_pairs: list[KeyValue], data: st.DataObject
) -> None:
    raw = mutilated(bytearray(given_pairs[0].SerializeToString()), given_pairs[-1].SerializeToString(), data)
    words, spoiled = protobuf.words_of([raw])
    try:
        expected = reference([KeyValue.FromString(raw)]), 0
    except DecodeError:
        # The same parser without its check of the texts, which would spoil what can be shown with U+FFFD.
        expected = leniently(raw)

    if expected == ({}, 1) and not any(b"\n" + bytes([len(key)]) + key in raw for key in WANTED):
        assert words == {}  # what nobody reads is passed over unseen
    else:
        assert (words, spoiled) == expected


def leniently(raw: bytes) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    try:
        protobuf.put_parsed(found, {}, WANTED, raw)
    except DecodeError:
        return {}, 1
    return found, 0


@given(pairs, st.data())
def test_no_mutilated_request_raises_anything_but_that_it_is_none(
    given_pairs: list[KeyValue], data: st.DataObject
) -> None:
    made = request(1)
    made.resource_spans[0].scope_spans[0].spans[0].attributes.extend(given_pairs)
    raw = mutilated(bytearray(made.SerializeToString()), b"", data)
    try:
        for _ in protobuf.spans_of(raw):
            pass
    except DecodeError:
        with pytest.raises(DecodeError):
            ExportTraceServiceRequest.FromString(raw)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\x12\x03\x0a\x01v\x0a\x10agentcop.verdict", id="value before key"),
        pytest.param(b"\x0a\x01x\x0a\x10agentcop.verdict\x12\x03\x0a\x01v", id="two keys"),
        pytest.param(b"\x0a\x10agentcop.verdict\x12\x03\x0a\x01x\x12\x03\x0a\x01v", id="two values"),
        pytest.param(b"\x0a\x90\x00agentcop.verdict\x12\x03\x0a\x01v", id="a long length of the key"),
        pytest.param(b"\x0a\x10agentcop.verdict\x12\x83\x00\x0a\x01v", id="a long length of the value"),
        pytest.param(b"\x0a\x10agentcop.verdict\x12\x04\x0a\x81\x00v", id="a long length of the text"),
    ],
)
def test_no_other_form_of_an_attribute_hides_it(raw: bytes) -> None:
    assert protobuf.words_of([raw]) == ({"verdict": "v"}, 0)


def test_text_that_forges_a_field_is_text() -> None:
    forged = KeyValue(key="agentcop.verdict", value=AnyValue(string_value="block")).SerializeToString()
    hostile = KeyValue(key="note", value=AnyValue(bytes_value=forged)).SerializeToString()

    assert protobuf.words_of([hostile]) == ({}, 0)


def test_an_attribute_that_cannot_be_read_is_counted_and_the_others_are_read() -> None:
    good = KeyValue(key="agentcop.verdict", value=AnyValue(string_value="allow")).SerializeToString()
    bad = b"\x0a\x10agentcop.verdict\x12\x05\x0a\x7f"

    assert protobuf.words_of([bad, good]) == ({"verdict": "allow"}, 1)


def test_the_first_name_of_a_word_holds_in_either_order() -> None:
    old = KeyValue(key="gen_ai.usage.prompt_tokens", value=AnyValue(int_value=5)).SerializeToString()
    new = KeyValue(key="gen_ai.usage.input_tokens", value=AnyValue(int_value=7)).SerializeToString()

    assert protobuf.words_of([old, new])[0] == protobuf.words_of([new, old])[0] == {"input_tokens": 7}


def test_long_text_is_cut_and_text_that_is_no_utf8_spoils_nothing() -> None:
    long = KeyValue(key="agentcop.reason", value=AnyValue(string_value="é" * 40_000)).SerializeToString()
    broken = b"\x0a\x0dagentcop.rule\x12\x04\x0a\x02\xff\xfe"

    words, spoiled = protobuf.words_of([long, broken])

    assert len(str(words["reason"]).encode()) <= TEXT_BYTES + 3
    assert words["rule"] == "\ufffd\ufffd"
    assert spoiled == 0


@given(pairs, events, st.integers(0, 5))
def test_json_and_binary_give_the_same_spans(
    given_pairs: list[KeyValue], given_events: list[Span.Event], side: int
) -> None:
    made = request(2)
    first, second = made.resource_spans[0].scope_spans[0].spans
    first.attributes.extend(given_pairs)
    first.events.extend(given_events)
    first.kind = side  # type: ignore[assignment]  # an enum's number
    second.status.code = 2  # type: ignore[assignment]  # an enum's number

    binary = list(protobuf.spans_of(made.SerializeToString()))
    text = list(json_form.spans_of(json.dumps(as_json(made)).encode()))

    assert text == binary


def as_attribute(value: object, key: str = "agentcop.reason") -> bytes:
    span = {"traceId": "ab" * 16, "spanId": "cd" * 8, "attributes": [{"key": key, "value": value}]}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"stringValue": 5}, id="a number for a text"),
        pytest.param({"intValue": True}, id="a truth for a number"),
        pytest.param({"intValue": "1_000"}, id="no digits"),
        pytest.param({"intValue": "9" * 19}, id="over 64 bits"),
        pytest.param({"intValue": 2**63}, id="over 64 bits, as a number"),
        pytest.param({"intValue": "\u0661"}, id="digits of another script"),
        pytest.param({"doubleValue": "wide"}, id="no number"),
        pytest.param({"bytesValue": "!"}, id="no base64"),
        pytest.param({"arrayValue": []}, id="a list for an object"),
        pytest.param({"kvlistValue": 1}, id="a number for an object"),
        pytest.param({"arrayValue": {"values": [{"stringValue": None}]}}, id="an empty text in a list"),
        pytest.param({"somethingValue": 1}, id="an unknown kind"),
    ],
)
def test_an_attribute_of_a_wrong_type_is_counted_and_read_as_nothing(value: object) -> None:
    (span,) = json_form.spans_of(as_attribute(value))

    assert (span.words, span.spoiled) == ({}, 1)


def test_of_a_key_that_stands_twice_the_last_holds_in_json_and_in_binary() -> None:
    made = request(1)
    for verdict in ("allow", "block"):
        made.resource_spans[0].scope_spans[0].spans[0].attributes.add(
            key="agentcop.verdict"
        ).value.string_value = verdict

    (binary,) = protobuf.spans_of(made.SerializeToString())
    (text,) = json_form.spans_of(json.dumps(as_json(made)).encode())

    assert binary.words == text.words == {"verdict": "block"}


def test_what_is_remembered_of_attributes_is_bounded_and_the_same_when_it_is_forgotten() -> None:
    def of(number: int) -> dict[str, Any]:
        raw = KeyValue(key="agentcop.agent.id", value=AnyValue(string_value=f"agent-{number}")).SerializeToString()
        return protobuf.words_of([raw])[0]

    for number in [*range(20_000), 0, 19_999]:
        assert of(number) == of(number) == {"agent": f"agent-{number}"}
    assert len(protobuf._known) <= protobuf._KNOWN_HELD  # noqa: SLF001 -- memory has no other sign


@pytest.mark.parametrize("count", [-1, 2**53, 1.5, True, "7"])
def test_what_is_no_count_is_no_count(count: object) -> None:
    kind = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}[type(count)]
    body = as_attribute({kind: count}, "gen_ai.usage.input_tokens")

    assert [span.words for span in json_form.spans_of(body)] == [{}]


def test_a_number_where_a_text_belongs_becomes_text_and_a_huge_one_does_no_harm() -> None:
    (small,) = json_form.spans_of(as_attribute({"intValue": "17"}, "session.id"))
    (huge,) = json_form.spans_of(as_attribute({"doubleValue": 1e300}, "session.id"))

    assert small.words == {"session_id": "17"}
    assert huge.words == {"session_id": "1e+300"}


@pytest.mark.parametrize("depth", [10, 300])
def test_deep_json_is_read_as_far_as_it_is_bounded(depth: int) -> None:
    value: object = {"stringValue": "deep"}
    for _ in range(depth):
        value = {"arrayValue": {"values": [value]}}

    (span,) = json_form.spans_of(as_attribute(value))

    assert span.words["reason"].count("[") == min(depth, 30)
    assert span.spoiled == 0


def test_json_that_nests_deeper_than_any_parser_goes_is_no_request() -> None:
    with pytest.raises(orjson.JSONDecodeError):
        list(json_form.spans_of(b'{"resourceSpans":' + b"[" * 5_000 + b"]" * 5_000 + b"}"))


def test_a_list_that_is_too_large_is_spoiled_in_both() -> None:
    made = request(1)
    value = made.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="agentcop.reason").value
    for _ in range(1_000):
        value.array_value.values.add().string_value = "x" * 200

    (binary,) = protobuf.spans_of(made.SerializeToString())
    (text,) = json_form.spans_of(json.dumps(as_json(made)).encode())

    assert binary.words == text.words == {}
    assert binary.spoiled == text.spoiled == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "resourceSpans",
                        "scopeSpans",
                        "spans",
                        "attributes",
                        "key",
                        "value",
                        "traceId",
                        "status",
                        "code",
                        "stringValue",
                        "intValue",
                        "resource",
                        "scope",
                        "name",
                    ]
                ),
                inner,
            )
        ),
        max_leaves=30,
    )
)
def test_no_json_of_whatever_shape_raises(value: object) -> None:
    for _ in json_form.spans_of(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)):
        pass
