"""The fast decoder reads what protobuf's own parser reads, whatever the bytes; JSON and binary say the same."""

from __future__ import annotations

import json

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from agentcop_detectors.normalise import json_form, protobuf
from agentcop_detectors.normalise.names import WANTED
from agentcop_detectors.normalise.raw import TEXT_BYTES
from otlp_requests import as_json, request

KEYS = sorted(key.decode() for key in WANTED)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def values() -> st.SearchStrategy[AnyValue]:
    return st.one_of(
        st.builds(lambda text: AnyValue(string_value=text), TEXT),
        st.builds(lambda number: AnyValue(int_value=number), st.integers(-(2**63), 2**63 - 1)),
        st.builds(lambda flag: AnyValue(bool_value=flag), st.booleans()),
        st.builds(lambda number: AnyValue(double_value=number), st.floats()),
        st.just(AnyValue()),
    )


def reference(attributes: list[bytes]) -> dict[str, str | int]:
    """By protobuf's parser alone."""
    found: dict[str, str | int] = {}
    ranks: dict[str, int] = {}
    for raw in attributes:
        try:
            protobuf.put_parsed(found, ranks, raw)
        except DecodeError:
            continue
    return found


pairs = st.lists(
    st.builds(lambda key, value: KeyValue(key=key, value=value), st.one_of(st.sampled_from(KEYS), TEXT), values()),
    max_size=6,
)


@given(pairs)
def test_every_legal_attribute_is_read_as_protobuf_reads_it(given_pairs: list[KeyValue]) -> None:
    attributes = [pair.SerializeToString() for pair in given_pairs]

    assert protobuf.words_of(attributes) == (reference(attributes), 0)


@given(pairs.filter(bool), st.data())
def test_every_mutilated_attribute_is_read_as_protobuf_reads_it(
    given_pairs: list[KeyValue], data: st.DataObject
) -> None:
    raw = bytearray(given_pairs[0].SerializeToString())
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
                raw += given_pairs[-1].SerializeToString()
            case _:
                pass

    assert protobuf.words_of([bytes(raw)])[0] == reference([bytes(raw)])


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


@given(pairs)
def test_json_and_binary_give_the_same_spans(given_pairs: list[KeyValue]) -> None:
    made = request(2)
    made.resource_spans[0].scope_spans[0].spans[0].attributes.extend(given_pairs)
    made.resource_spans[0].scope_spans[0].spans[1].status.code = 2  # type: ignore[assignment]  # an enum's number

    binary = list(protobuf.spans_of(made.SerializeToString()))
    text = list(json_form.spans_of(json.dumps(as_json(made)).encode("utf-8", "surrogatepass")))

    assert text == binary


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
    import orjson

    for _ in json_form.spans_of(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)):
        pass
