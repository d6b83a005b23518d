from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest
from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import SpanContext

from agentcop_core import attributes as names
from agentcop_core.spool import SpoolReader, SpoolWriter, read_dropped
from agentcop_processor.export import ContentTable, DetectorExport, detector_export
from agentcop_processor.export.delivery import Delivery
from agentcop_processor.export.sender import Endpoint, Sent, sender_to
from exporting import Patient, ended, export_to, ids, spooled, until
from receivers import GrpcReceiver, HttpReceiver, attributes_of, gate_tracer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.trace import Tracer

CANARY = "sk-proj-canary0123456789abcdefghijklmnopqrstuvwxyzABCD"


def until_received(receiver: HttpReceiver | GrpcReceiver, count: int) -> None:
    until(lambda: len(receiver.ids) >= count)


def until_spooled(home: Path, expected: list[str]) -> None:
    """A replay that tries again and again renames segments meanwhile: one look may miss one."""
    until(lambda: ids(spooled(home)) == expected)


class RecordOnly(Sampler):
    def should_sample(self, *args: object, **kwargs: object) -> SamplingResult:
        return SamplingResult(Decision.RECORD_ONLY)

    def get_description(self) -> str:
        return "record only"


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver().start()
    yield receiver
    receiver.stop()


def test_without_an_endpoint_spans_wait_in_the_spool(agentcop_home: Path) -> None:
    export = detector_export(agentcop_home, {})
    with gate_tracer(export) as tracer:
        expected = [ended(tracer) for _ in range(1_000)]
    assert ids(spooled(agentcop_home)) == expected
    stats = export.stats()
    assert (stats.queued, stats.sent, stats.spooled, stats.dropped, stats.failed) == (0, 0, 1_000, 0, 0)


def test_the_environment_names_endpoint_and_token(agentcop_home: Path, http: HttpReceiver) -> None:
    export = detector_export(agentcop_home, {"AGENTCOP_OTLP_ENDPOINT": http.url, "AGENTCOP_TOKEN": "t0ken"})
    with gate_tracer(export) as tracer:
        expected = ended(tracer)
    assert http.ids == [expected]
    assert http.headers[0]["Authorization"] == "Bearer t0ken"
    assert not (agentcop_home / "spool").exists()


def test_an_endpoint_that_is_none_is_refused_at_once(agentcop_home: Path) -> None:
    with pytest.raises(ValueError, match="AGENTCOP_OTLP_ENDPOINT"):
        detector_export(agentcop_home, {"AGENTCOP_OTLP_ENDPOINT": "http://"})


def test_a_grpc_receiver_gets_every_span_once(agentcop_home: Path) -> None:
    receiver = GrpcReceiver().start()
    export = export_to(receiver, agentcop_home)
    with gate_tracer(export) as tracer:
        expected = [ended(tracer) for _ in range(1_000)]
    assert receiver.ids == expected
    receiver.stop()


@pytest.mark.parametrize("kind", [HttpReceiver, GrpcReceiver])
def test_a_receiver_killed_and_restarted_gets_every_span_once_and_in_order(
    agentcop_home: Path, kind: type[HttpReceiver | GrpcReceiver]
) -> None:
    receiver = kind().start()
    export = export_to(receiver, agentcop_home)
    with gate_tracer(export) as tracer:
        expected = [ended(tracer) for _ in range(10)]
        assert export.force_flush()
        for _ in range(3):
            receiver.stop()
            for _ in range(4):
                expected += [ended(tracer) for _ in range(50)]
                assert export.force_flush()
            until_spooled(agentcop_home, expected[-200:])
            receiver.start()
            expected += [ended(tracer) for _ in range(10)]
            until_received(receiver, len(expected))
    assert receiver.ids == expected
    assert spooled(agentcop_home) == []
    stats = export.stats()
    assert (stats.queued, stats.sent, stats.dropped, stats.failed) == (0, len(expected), 0, 0)
    assert stats.spooled >= 600
    receiver.stop()


def test_what_an_earlier_process_left_is_replayed_by_the_next(agentcop_home: Path, http: HttpReceiver) -> None:
    http.stop()
    first = export_to(http, agentcop_home)
    with gate_tracer(first) as tracer:
        left = ended(tracer)
    http.start()
    second = export_to(http, agentcop_home)
    with gate_tracer(second) as tracer:
        expected = ended(tracer)
        until(lambda: len(http.ids) == 2)
    assert sorted(http.ids) == sorted([left, expected])
    assert spooled(agentcop_home) == []


def test_what_is_meant_for_this_machine_is_not_sent_elsewhere(agentcop_home: Path, http: HttpReceiver) -> None:
    with gate_tracer(detector_export(agentcop_home, {})) as tracer:
        local = ended(tracer)
    with gate_tracer(export_to(http, agentcop_home)) as tracer:
        remote = ended(tracer)
    assert http.ids == [remote]
    assert ids(spooled(agentcop_home)) == [local]


def test_a_replay_that_breaks_off_goes_on_where_it_stopped(agentcop_home: Path, http: HttpReceiver) -> None:
    http.stop()
    export = export_to(http, agentcop_home)
    with gate_tracer(export) as tracer:
        expected = []
        for _ in range(6):
            expected.append(ended(tracer))
            assert export.force_flush()
        http.answers = [200, 200, 503, 200, 503, 503]
        http.start()
        until(lambda: len(http.ids) == 6)
    assert http.ids == expected


def test_what_a_local_detector_reads_is_left_to_it(agentcop_home: Path, http: HttpReceiver) -> None:
    http.stop()
    export = export_to(http, agentcop_home)
    with gate_tracer(export) as tracer:
        early = ended(tracer)
        assert export.force_flush()
        detector = SpoolReader(agentcop_home / "spool")
        assert detector.acquire()
        http.start()
        late: list[str] = []

        def sent() -> bool:
            late.append(ended(tracer))
            return bool(http.ids)

        until(sent)
        assert early not in http.ids
        detector.release()


def test_spans_not_sampled_go_to_the_detector_and_to_nobody_else(agentcop_home: Path) -> None:
    export = detector_export(agentcop_home, {})
    application = InMemorySpanExporter()
    with gate_tracer(export, RecordOnly()) as tracer:
        provider = TracerProvider(sampler=RecordOnly(), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(application))
        provider.add_span_processor(export)
        expected = [ended(tracer), ended(provider.get_tracer(names.SCOPE))]
        provider.shutdown()
    assert ids(spooled(agentcop_home)) == expected
    assert application.get_finished_spans() == ()


def test_a_span_under_an_unsampled_parent_arrives_with_its_parent(agentcop_home: Path) -> None:
    export = detector_export(agentcop_home, {})
    parent = SpanContext(0xABC, 0xDEF, is_remote=True)
    with gate_tracer(export, ParentBased(ALWAYS_ON, remote_parent_not_sampled=RecordOnly())) as tracer:
        tracer.start_span("a", trace.set_span_in_context(trace.NonRecordingSpan(parent))).end()
    (span,) = spooled(agentcop_home)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (f"{0xABC:032x}", f"{0xDEF:016x}")


def test_an_export_that_stands_twice_sends_once(agentcop_home: Path) -> None:
    export = detector_export(agentcop_home, {})
    with gate_tracer(export) as tracer:
        tracer.span_processor.add_span_processor(export)  # type: ignore[attr-defined]  # the SDK's tracer
        expected = [ended(tracer) for _ in range(5_000)]
        export.force_flush()
    assert export.stats().dropped + len(spooled(agentcop_home)) == 5_000
    assert set(ids(spooled(agentcop_home))) <= set(expected)
    assert len(ids(spooled(agentcop_home))) == len(set(ids(spooled(agentcop_home))))


def test_other_scopes_stay_out_unless_they_carry_a_verdict(agentcop_home: Path) -> None:
    export = detector_export(agentcop_home, {})
    with gate_tracer(export):
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(export)
        native = provider.get_tracer("some.framework")
        native.start_span("chat").end()
        native.start_span("execute_tool pay", attributes={names.COP_VERDICT: "allow"}).end()
        provider.shutdown()
    assert [span.name for span in spooled(agentcop_home)] == ["execute_tool pay"]


def test_content_goes_to_the_detector_and_not_to_the_application(agentcop_home: Path) -> None:
    export = detector_export(agentcop_home, {})
    application = InMemorySpanExporter()
    with gate_tracer(export) as tracer:
        tracer.span_processor.add_span_processor(SimpleSpanProcessor(application))  # type: ignore[attr-defined]  # the SDK's tracer
        span = tracer.start_span("execute_tool pay")
        span_id = span.get_span_context().span_id
        export.content.put_arguments(span_id, b'{"to":"DE89"}')
        export.content.put_result(span_id, f"paid with {CANARY}")
        span.end()
    (told,) = spooled(agentcop_home)
    assert attributes_of(told)[names.TOOL_CALL_ARGUMENTS] == '{"to":"DE89"}'
    assert attributes_of(told)[names.TOOL_CALL_RESULT].startswith("paid with ")
    (theirs,) = application.get_finished_spans()
    assert not theirs.attributes
    everything = b"".join(path.read_bytes() for path in (agentcop_home / "spool").iterdir())
    assert CANARY.encode() not in everything


def test_with_content_none_neither_arguments_nor_results_reach_the_spool(agentcop_home: Path) -> None:
    export = detector_export(agentcop_home, {}, content=ContentTable("none"))
    with gate_tracer(export) as tracer:
        span = tracer.start_span("execute_tool pay", attributes={names.TOOL_CALL_ARGUMENTS: '{"to":"canary"}'})
        export.content.put_arguments(span.get_span_context().span_id, b'{"to":"canary"}')
        export.content.put_result(span.get_span_context().span_id, "canary")
        span.add_event("result", {"text": "canary"})
        span.end()
    everything = b"".join(path.read_bytes() for path in (agentcop_home / "spool").iterdir())
    assert b"execute_tool pay" in everything
    assert b"canary" not in everything


def test_a_redactor_that_fails_withholds_the_text_and_says_so_once(
    agentcop_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(text: str) -> str:
        raise RuntimeError(text)

    export = detector_export(agentcop_home, {}, redact=broken)
    with gate_tracer(export) as tracer:
        for _ in range(3):
            span = tracer.start_span("a")
            export.content.put_result(span.get_span_context().span_id, "canary")
            span.end()
    results = [attributes_of(span)[names.TOOL_CALL_RESULT] for span in spooled(agentcop_home)]
    assert results == ["[withheld: the redactor failed]"] * 3
    assert caplog.text.count("the redactor failed; the text is withheld") == 1


def test_a_full_queue_drops_and_counts_and_the_record_says_so(agentcop_home: Path, http: HttpReceiver) -> None:
    http.hold = threading.Event()
    export = export_to(http, agentcop_home, queue_spans=10, patience=60)
    with gate_tracer(export) as tracer:
        for _ in range(10):
            ended(tracer)
        assert http.asked.wait(60)
        until(lambda: export.stats().queued == 0)
        for _ in range(1_000):
            ended(tracer)
        stats = export.stats()
        assert (stats.queued, stats.dropped) == (10, 990)
        http.hold.set()
        assert export.force_flush()
    assert export.stats().dropped == 990
    assert read_dropped(agentcop_home / "spool").queue == 990
    assert export.stats().sent == 20


def test_megabyte_attributes_neither_block_nor_vanish(agentcop_home: Path) -> None:
    export = detector_export(agentcop_home, {})
    with gate_tracer(export) as tracer:
        for _ in range(100):
            span = tracer.start_span("execute_tool pay", attributes={names.COP_VERDICT: "block"})
            for number in range(5):
                span.set_attribute(f"junk{number}", "x" * 1_000_000)
            span.set_attribute("list", ["y" * 1_000] * 1_000)
            span.add_event("e", {"f": "z" * 1_000_000})
            span.end()
    spans = spooled(agentcop_home)
    assert len(spans) == 100
    assert {attributes_of(span)[names.COP_VERDICT] for span in spans} == {"block"}
    assert all(span.ByteSize() < 300_000 for span in spans)


def test_a_disk_that_refuses_is_counted_and_said_once(agentcop_home: Path, caplog: pytest.LogCaptureFixture) -> None:
    agentcop_home.mkdir(parents=True)
    (agentcop_home / "spool").write_text("a file where the folder should be")
    export = detector_export(agentcop_home, {})
    with gate_tracer(export) as tracer:
        for _ in range(3):
            ended(tracer)
            assert export.force_flush()
    assert export.stats().dropped == 3
    assert caplog.text.count("are lost") == 1


def test_a_receiver_that_refuses_for_good_is_not_asked_again(
    agentcop_home: Path, http: HttpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    http.answers = [400, 400]
    export = export_to(http, agentcop_home)
    with gate_tracer(export) as tracer:
        for _ in range(3):
            ended(tracer)
            assert export.force_flush()
    stats = export.stats()
    assert (stats.sent, stats.failed, stats.spooled) == (1, 2, 0)
    assert caplog.text.count("refused") == 1


def test_a_damaged_line_in_the_spool_is_passed_over(agentcop_home: Path, http: HttpReceiver) -> None:
    http.stop()
    export = export_to(http, agentcop_home)
    with gate_tracer(export) as tracer:
        expected = ended(tracer)
        assert export.force_flush()
        (segment,) = (agentcop_home / "spool").glob("*-*-*-*")
        with segment.open("ab") as file:
            file.write(b'{"resourceSpans":[7],"spans":[{"startTimeUnixNano":"1"}]}\n')
        http.start()
        until(lambda: http.ids == [expected])
    assert export.stats().failed == 1


def test_a_sender_that_raises_costs_no_agent_anything(agentcop_home: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def send(self, body: bytes, timeout: float = 0) -> Sent:
            raise RuntimeError("broken")

        def close(self) -> None: ...

        def forget(self) -> None: ...

    export = DetectorExport(Delivery(SpoolWriter(agentcop_home / "spool"), Broken()), delay=0.01)
    with gate_tracer(export) as tracer:
        ended(tracer)
        assert export.force_flush()
    assert caplog.text.count("spans for the detector were lost") == 1
    assert export.stats().failed == 1


def test_a_span_of_another_make_never_raises(agentcop_home: Path, caplog: pytest.LogCaptureFixture) -> None:
    export = detector_export(agentcop_home, {})
    for _ in range(2):
        export.on_end("no span")  # type: ignore[arg-type]  # hostile on purpose
    export.on_end(ReadableSpan("no context"))
    assert caplog.text.count("did not reach") == 1


def test_after_shutdown_a_later_span_starts_everything_again(agentcop_home: Path) -> None:
    export = detector_export(agentcop_home, {})
    others = set(threading.enumerate())
    with gate_tracer(export) as tracer:
        first = ended(tracer)
        export.shutdown()
        assert not any(thread.name == "agentcop-export" for thread in set(threading.enumerate()) - others)
        second = ended(tracer)
    assert ids(spooled(agentcop_home)) == [first, second]


def test_no_thread_and_no_file_before_the_first_span(agentcop_home: Path) -> None:
    others = set(threading.enumerate())
    export = detector_export(agentcop_home, {})
    assert export.force_flush()
    export.shutdown()
    assert set(threading.enumerate()) <= others
    assert not agentcop_home.exists()


def test_many_threads_lose_nothing(agentcop_home: Path) -> None:
    export = detector_export(agentcop_home, {})
    with gate_tracer(export) as tracer:

        def work() -> None:
            for _ in range(200):
                ended(tracer)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(ids(spooled(agentcop_home)))) == 1_600
    assert export.stats().spooled == 1_600


def test_a_span_ended_by_a_finaliser_inside_on_end_does_not_deadlock(agentcop_home: Path) -> None:
    export = detector_export(agentcop_home, {})

    class Holder:
        def __init__(self, tracer: Tracer) -> None:
            self.me = self
            self.span = tracer.start_span("finalised")

        def __del__(self) -> None:
            self.span.end()

    with gate_tracer(export) as tracer:
        threshold = gc.get_threshold()
        gc.set_threshold(1)
        for _ in range(200):
            Holder(tracer)
            ended(tracer)
        gc.set_threshold(*threshold)
        gc.collect()
        assert export.force_flush(60_000)
    assert len(ids(spooled(agentcop_home))) == 400


def test_a_hanging_receiver_at_exit_leaves_the_spans_in_the_spool(agentcop_home: Path, http: HttpReceiver) -> None:
    http.hold = threading.Event()
    export = export_to(http, agentcop_home, patience=60)
    with gate_tracer(export) as tracer:
        first = ended(tracer)
        assert http.asked.wait(60)
        second = ended(tracer)
        export.shutdown(200)
        assert sorted(ids(spooled(agentcop_home))) == sorted([first, second])
        http.hold.set()


def test_what_sends_spans_makes_none(agentcop_home: Path, http: HttpReceiver) -> None:
    suppressed: list[object] = []

    class Asking(Patient):
        def send(self, body: bytes, timeout: float = 0) -> Sent:
            suppressed.append(context_api.get_value(vars(context_api)["_SUPPRESS_INSTRUMENTATION_KEY"]))
            return super().send(body, timeout)

    endpoint = Endpoint(protocol="http", tls=False, host="127.0.0.1", port=http.port, path="/v1/traces")
    export = DetectorExport(Delivery(SpoolWriter(agentcop_home / "spool"), Asking(sender_to(endpoint), 5)))
    with gate_tracer(export) as tracer:
        ended(tracer)
    assert suppressed == [True]
