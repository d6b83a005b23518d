from __future__ import annotations

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, StatusCode

from agentcop_core import attributes as names
from agentcop_processor.export.content import FIELD_BYTES, Content, ContentMode
from agentcop_processor.export.message import SPAN_BYTES, Waiting, encode, footprint, slim
from receivers import attributes_of, spans_of

CANARY = "canary-0123456789"


def redact(text: str) -> str:
    return text.replace(CANARY, "[secret]")


def ended(attributes: dict[str, object], *, name: str = "execute_tool pay", scope: str = names.SCOPE) -> ReadableSpan:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "s", "process.command_line": f"run {CANARY}"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    link = Link(SpanContext(1, 2, is_remote=False), {"why": CANARY})
    with provider.get_tracer(scope).start_as_current_span(name, attributes=attributes, links=[link]) as span:  # type: ignore[arg-type]  # hostile on purpose
        span.add_event("exception", {"exception.type": "ValueError", "exception.message": f"bad {CANARY}"})
        span.set_status(StatusCode.ERROR, f"failed on {CANARY}")
    provider.shutdown()
    return exporter.get_finished_spans()[0]


def told(span: ReadableSpan, content: Content | None = None, default: ContentMode = "redacted") -> bytes:
    encoded = encode([Waiting(span, content, 0)], default, redact)
    assert (encoded.spans, encoded.failed) == (1, 0)
    return encoded.request.SerializeToString()


HOSTILE: dict[str, object] = {
    names.COP_VERDICT: "allow",
    names.COP_CALL_DIGEST: "a" * 64,
    names.TOOL_CALL_ARGUMENTS: f'{{"key":"{CANARY}"}}',
    "gen_ai.input.messages": [{"role": "user", "parts": [f"my key is {CANARY}"]}],
    "anything": (CANARY, CANARY),
    "bytes": CANARY.encode(),
    "tokens": 7,
}


@pytest.mark.parametrize("mode", ["redacted", "none"])
def test_no_secret_leaves_in_any_part_of_a_span(mode: ContentMode) -> None:
    content = Content(mode=mode, arguments='{"key":"[secret]"}', result=f"ok {CANARY}", result_length=50)
    for given in (content, None):
        assert CANARY.encode() not in told(ended(HOSTILE), given, mode)


def test_full_tells_everything_in_full() -> None:
    content = Content(mode="full", arguments=f'{{"key":"{CANARY}"}}', result=f"ok {CANARY}", result_length=10)
    assert told(ended(HOSTILE), content).count(CANARY.encode()) >= 7


def test_what_the_table_holds_takes_the_place_of_what_a_framework_captured() -> None:
    content = Content(mode="redacted", arguments='{"key":"[secret]"}', result=f"ok {CANARY}", result_length=20)
    encoded = encode([Waiting(ended(HOSTILE), content, 0)], "redacted", redact)
    (span,) = spans_of(encoded.request)
    attributes = attributes_of(span)
    assert attributes[names.TOOL_CALL_ARGUMENTS] == '{"key":"[secret]"}'
    assert attributes[names.TOOL_CALL_RESULT] == "ok [secret]"
    assert attributes[names.COP_CALL_DIGEST] == "a" * 64
    assert len([item for item in span.attributes if item.key == names.TOOL_CALL_ARGUMENTS]) == 1


def test_none_tells_names_numbers_and_verdict_only() -> None:
    encoded = encode([Waiting(ended(HOSTILE), None, 0)], "none", redact)
    (span,) = spans_of(encoded.request)
    assert {item.key for item in span.attributes} == {names.COP_VERDICT, names.COP_CALL_DIGEST, "tokens"}
    assert [(item.key, item.value.string_value) for item in span.events[0].attributes] == [
        ("exception.type", "ValueError")
    ]
    assert span.status.message == ""
    assert [item.key for item in encoded.request.resource_spans[0].resource.attributes] == ["service.name"]


def test_a_huge_span_arrives_small_with_its_verdict() -> None:
    attributes: dict[str, object] = {
        names.COP_VERDICT: "block",
        **{f"gen_ai.a{number}": "x" * 1_000_000 for number in range(40)},
        **{f"b{number}": ("y" * 100_000,) * 10 for number in range(40)},
        **{f"agentcop.c{number}": "z" * 10_000 for number in range(40)},
    }
    span = ended(attributes, name="n" * 1_000_000)
    assert footprint(span, span.attributes or {}) > SPAN_BYTES
    for variant in (span, slim(span)):
        encoded = encode([Waiting(variant, None, 0)], "full", redact)
        (one,) = spans_of(encoded.request)
        assert one.ByteSize() <= SPAN_BYTES
        assert attributes_of(one)[names.COP_VERDICT] == "block"
        assert len(one.name) <= FIELD_BYTES + 40
    kept = slim(span)
    assert footprint(kept, kept.attributes or {}) < 3_000_000
    context = span.get_span_context()
    assert kept.get_span_context() == context


def test_every_size_of_hostile_span_is_bounded() -> None:
    encoded = encode(
        [Waiting(ended({f"gen_ai.{'k' * 100}{number}": "x" * 4000 for number in range(128)}), None, 0)],
        "full",
        redact,
    )
    assert encoded.request.ByteSize() <= SPAN_BYTES + 4096


def test_one_span_that_cannot_be_encoded_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    good, bad = ended({"n": 1}), ended({"n": 2}, name="\ud800")
    encoded = encode([Waiting(good, None, 0), Waiting(bad, None, 0), Waiting(good, None, 0)], "redacted", redact)
    assert (encoded.spans, encoded.failed) == (2, 1)
    assert len(spans_of(encoded.request)) == 2
    assert "could not be encoded" in caplog.text


def test_text_that_is_no_unicode_costs_only_itself() -> None:
    (span,) = spans_of(
        encode([Waiting(ended({"bad": "\ud800", names.COP_VERDICT: "allow"}), None, 0)], "redacted", redact).request
    )
    assert attributes_of(span)[names.COP_VERDICT] == "allow"


def test_deep_nesting_is_left_out() -> None:
    deep: object = CANARY
    for _ in range(50):
        deep = {"a": deep}
    encoded = encode([Waiting(ended({"deep": deep, names.COP_VERDICT: "allow"}), None, 0)], "full", redact)
    (span,) = spans_of(encoded.request)
    assert "deep" not in {item.key for item in span.attributes}
    assert names.COP_VERDICT in {item.key for item in span.attributes}
