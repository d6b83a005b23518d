from __future__ import annotations

import base64

import orjson
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from agentcop_core.otlp.lines import from_line, to_line
from agentcop_core.spool import count_spans

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_leaves = st.one_of(
    st.builds(lambda value: AnyValue(string_value=value), _text),
    st.builds(lambda value: AnyValue(int_value=value), st.integers(-(2**63), 2**63 - 1)),
    st.builds(lambda value: AnyValue(double_value=value), st.floats(allow_nan=False)),
    st.builds(lambda value: AnyValue(bool_value=value), st.booleans()),
    st.builds(lambda value: AnyValue(bytes_value=value), st.binary(max_size=20)),
    st.just(AnyValue()),
)
_values = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(lambda values: AnyValue(array_value=ArrayValue(values=values)), st.lists(inner, max_size=3)),
        st.builds(
            lambda values: AnyValue(kvlist_value=KeyValueList(values=values)),
            st.lists(st.builds(lambda key, value: KeyValue(key=key, value=value), _text, inner), max_size=3),
        ),
    ),
    max_leaves=5,
)
_attributes = st.lists(st.builds(lambda key, value: KeyValue(key=key, value=value), _text, _values), max_size=4)
_uint32 = st.integers(0, 2**32 - 1)
_uint64 = st.integers(0, 2**64 - 1)


@st.composite
def requests(draw: st.DrawFn) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add(schema_url=draw(_text))
    group.resource.attributes.extend(draw(_attributes))
    group.resource.dropped_attributes_count = draw(_uint32)
    scoped = group.scope_spans.add(schema_url=draw(_text))
    scoped.scope.name, scoped.scope.version = draw(_text), draw(_text)
    scoped.scope.attributes.extend(draw(_attributes))
    for _ in range(draw(st.integers(0, 2))):
        span = scoped.spans.add(
            trace_id=draw(st.binary(min_size=16, max_size=16)),
            span_id=draw(st.binary(min_size=8, max_size=8)),
            parent_span_id=draw(st.sampled_from([b"", b"\x01" * 8])),
            trace_state=draw(_text),
            flags=draw(_uint32),
            name=draw(_text),
            kind=draw(st.sampled_from([0, 1, 2, 3, 4, 5])),
            start_time_unix_nano=draw(_uint64),
            end_time_unix_nano=draw(_uint64),
            attributes=draw(_attributes),
            dropped_attributes_count=draw(_uint32),
            dropped_events_count=draw(_uint32),
            dropped_links_count=draw(_uint32),
            status=draw(
                st.one_of(
                    st.none(), st.builds(lambda message: Status(code=Status.STATUS_CODE_ERROR, message=message), _text)
                )
            ),
        )
        for _ in range(draw(st.integers(0, 2))):
            span.events.add(time_unix_nano=draw(_uint64), name=draw(_text), attributes=draw(_attributes))
        for _ in range(draw(st.integers(0, 2))):
            span.links.add(
                trace_id=draw(st.binary(min_size=16, max_size=16)),
                span_id=draw(st.binary(min_size=8, max_size=8)),
                trace_state=draw(_text),
                attributes=draw(_attributes),
                flags=draw(_uint32),
            )
    return request


@given(requests())
def test_a_line_gives_back_the_same_request(request: ExportTraceServiceRequest) -> None:
    line = to_line(request)
    assert b"\n" not in line
    assert from_line(line) == request
    assert count_spans(line) == sum(len(scoped.spans) for scoped in request.resource_spans[0].scope_spans)


@given(requests())
def test_it_is_protobufs_own_json_but_for_ids_in_hex(request: ExportTraceServiceRequest) -> None:
    theirs = MessageToDict(request, use_integers_for_enums=True)
    for scoped in theirs["resourceSpans"][0]["scopeSpans"]:
        for span in scoped.get("spans", ()):
            for ids in (span, *span.get("links", ())):
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in ids:
                        ids[key] = base64.b64decode(ids[key]).hex()
    assert _bare(orjson.loads(to_line(request))) == _bare(theirs)


def _bare(value: object, name: str = "") -> object:
    """Without fields that are empty or zero, which proto3's JSON may write or not; a value's kind always counts."""
    if isinstance(value, dict):
        bare = {key: _bare(item, key) for key, item in value.items()}
        return {key: item for key, item in bare.items() if key.endswith("Value") or item not in ("", "0", 0, [], {})}
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return value


@pytest.mark.parametrize(("value", "word"), [(float("inf"), "Infinity"), (-float("inf"), "-Infinity")])
def test_infinities_are_words(value: float, word: str) -> None:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.attributes.add(key="n").value.double_value = value
    assert f'"{word}"'.encode() in to_line(request)
    assert from_line(to_line(request)) == request


def test_nan_is_a_word() -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().resource.attributes.add(key="n").value.double_value = float("nan")
    assert b'"NaN"' in to_line(request)
    value = from_line(to_line(request)).resource_spans[0].resource.attributes[0].value.double_value
    assert value != value  # noqa: PLR0124 -- what NaN is


def test_a_newer_versions_fields_are_passed_over() -> None:
    line = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":"0102030405060708","newer":{"a":1}}]}]}]}'
    assert from_line(line).resource_spans[0].scope_spans[0].spans[0].span_id == bytes(range(1, 9))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'{"resourceSpans":7}',
        b'{"resourceSpans":[7]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":"xyz"}]}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":7}]}]}]}',
        b"\xff\xfe",
        b"[" * 500,
    ],
)
def test_what_is_no_request_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_line(line)
