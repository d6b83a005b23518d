"""What was received reaches another endpoint in order; one that is away costs nothing but its own share."""

from __future__ import annotations

import itertools
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
import pytest

from agentcop_core.otlp.sender import parse_endpoint, sender_to
from agentcop_detectors.forward.forwarder import Forwarder
from agentcop_detectors.receive.tokens import Tokens
from agentcop_detectors.segments.frame import Encoding, Frame
from agentcop_detectors.segments.log import NotWritten, SegmentLog
from otlp_requests import as_json, request
from receivers import GrpcReceiver, HttpReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Place:
    """A segment log, and how far it was forwarded."""

    def __init__(self, folder: Path) -> None:
        self.segments = folder / "segments"
        self.position = folder / "forward.json"
        self.log = SegmentLog(self.segments, segment_bytes=20_000)
        self.now = 0.0

    def write(
        self, made: ExportTraceServiceRequest, encoding: Encoding = Encoding.PROTOBUF, source: str = ""
    ) -> list[str]:
        """Acknowledge a request; its span ids."""
        body = made.SerializeToString() if encoding is Encoding.PROTOBUF else orjson.dumps(as_json(made))
        self.write_body(body, encoding, source)
        return [span.span_id.hex() for span in made.resource_spans[0].scope_spans[0].spans]

    def write_body(self, body: bytes, encoding: Encoding, source: str = "") -> None:
        written = threading.Event()
        outcome: list[NotWritten | None] = []

        def done(failed: NotWritten | None) -> None:
            outcome.append(failed)
            written.set()

        self.log.append(Frame(encoding, 1, source, body), done)
        assert written.wait(30)
        assert outcome == [None]

    @contextmanager
    def forwarding(self, url: str, max_behind: int = 2**40, tokens: Tokens | None = None) -> Iterator[Forwarder]:
        forwarder = Forwarder(
            self.segments,
            self.position,
            sender_to(parse_endpoint(url)),
            max_behind=max_behind,
            tokens=tokens,
            clock=lambda: self.now,
            jitter=lambda: 1.0,
        )
        try:
            yield forwarder
        finally:
            forwarder.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    made.log.open()
    yield made
    made.log.close()


@pytest.fixture
def target() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver().start()
    yield receiver
    receiver.stop()


def drain(forwarder: Forwarder) -> None:
    """Step until there is nothing to do."""
    while not forwarder.step():
        pass


def test_everything_arrives_once_and_in_order_over_http(place: Place, target: HttpReceiver) -> None:
    sent = [span for _ in range(30) for span in place.write(request(5))]
    with place.forwarding(target.url) as forwarder:
        drain(forwarder)
        sent += place.write(request(5))
        drain(forwarder)
        assert target.ids == sent
        assert forwarder.counts["forwarded_spans"] == len(sent)
        assert forwarder.behind == 0


def test_json_and_grpc_meet_as_protobuf(place: Place) -> None:
    receiver = GrpcReceiver().start()
    sent = place.write(request(2), Encoding.JSON) + place.write(request(2)) + place.write(request(1), Encoding.JSON)
    with place.forwarding(f"grpc://127.0.0.1:{receiver.port}") as forwarder:
        drain(forwarder)
        assert receiver.ids == sent
        assert receiver.spans[0].attributes[0].value.string_value == "v"
    receiver.stop()


def test_it_goes_on_where_it_stopped(place: Place, target: HttpReceiver) -> None:
    first = place.write(request(3))
    with place.forwarding(target.url) as forwarder:
        drain(forwarder)
    second = place.write(request(3))
    with place.forwarding(target.url) as forwarder:
        drain(forwarder)
    assert target.ids == first + second


def test_a_target_that_is_away_gets_everything_when_it_is_back(place: Place, target: HttpReceiver) -> None:
    target.stop()
    sent = place.write(request(3))
    with place.forwarding(target.url) as forwarder:
        assert forwarder.step() == 0
        assert forwarder.step() > 0, "it does not try again at once"
        assert forwarder.why
        sent += place.write(request(3))
        target.start()
        place.now += 60
        drain(forwarder)
        assert target.ids == sent
        assert forwarder.why == ""
        assert forwarder.counts["forward_failures"] == 1


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_target_that_says_later_is_asked_later(place: Place, target: HttpReceiver, code: int) -> None:
    target.answers = [code, code]
    sent = place.write(request(3))
    with place.forwarding(target.url) as forwarder:
        for _ in range(3):
            forwarder.step()
            place.now += 60
        assert target.ids == sent


def test_pauses_grow_and_stay_bounded(place: Place, target: HttpReceiver) -> None:
    target.answers = [503] * 12
    sent = place.write(request(1))
    asked: list[float] = []
    with place.forwarding(target.url) as forwarder:
        while not target.ids:
            left = len(target.answers)
            forwarder.step()
            if len(target.answers) < left:
                asked.append(place.now)
            place.now += 0.25
    pauses = [after - before for before, after in itertools.pairwise(asked)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 1
    assert 29 <= pauses[-1] <= 31
    assert target.ids == sent


def test_one_request_that_is_refused_does_not_cost_the_others(place: Place, target: HttpReceiver) -> None:
    sent = [span for _ in range(8) for span in place.write(request(1))]
    # All eight, the first four, the first two, then the first alone are refused: it is the one at fault.
    target.answers = [400, 400, 400, 400]
    with place.forwarding(target.url) as forwarder:
        drain(forwarder)
        assert target.ids == sent[1:]
        assert forwarder.counts["forward_dropped_refused"] == 1
        assert forwarder.counts["forwarded_spans"] == 7


@pytest.mark.parametrize("encoding", list(Encoding))
def test_a_token_does_not_speak_for_another_agent_at_the_target_either(
    place: Place, target: HttpReceiver, encoding: Encoding
) -> None:
    digest = "ab" * 32
    tokens = Tokens(agents={digest: ("billing",)})
    made = request(1)
    other = made.resource_spans.add()
    other.CopyFrom(request(2).resource_spans[0])
    other.resource.attributes[0].value.string_value = "somebody else"
    sent = place.write(made, encoding, source=digest[:16])
    place.write(request(1), encoding, source="0" * 16)
    sent += place.write(request(1), encoding, source="spool:a:1")
    with place.forwarding(target.url, tokens=tokens) as forwarder:
        drain(forwarder)
        assert target.ids == sent
        assert forwarder.counts["forward_dropped_foreign"] == 3
        assert forwarder.counts["forward_dropped_unconvertible"] == 0


def test_json_that_is_no_protobuf_message_is_counted_and_passed_over(place: Place, target: HttpReceiver) -> None:
    place.write_body(b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"zz"}]}]}]}', Encoding.JSON)
    sent = place.write(request(1))
    with place.forwarding(target.url) as forwarder:
        drain(forwarder)
        assert target.ids == sent
        assert forwarder.counts["forward_dropped_unconvertible"] == 1


def test_what_waits_for_a_dead_target_is_bounded_and_the_dropped_are_counted(
    place: Place, target: HttpReceiver
) -> None:
    target.stop()
    with place.forwarding(target.url, max_behind=30_000) as forwarder:
        sent = [span for _ in range(100) for span in place.write(request(5, text="x" * 100))]
        forwarder.step()
        forwarder.step()
        assert forwarder.behind <= 15_000
        dropped = forwarder.counts["forward_dropped_late"]
        assert 0 < dropped < 500
        target.start()
        place.now += 60
        drain(forwarder)
        assert target.ids == sent[dropped:]


def test_segments_that_are_gone_are_counted(place: Place, target: HttpReceiver) -> None:
    sent = place.write(request(1))
    with place.forwarding(target.url) as forwarder:
        drain(forwarder)
        sent += [span for _ in range(100) for span in place.write(request(5, text="x" * 100))]
        for path in sorted(place.segments.glob("*.log"))[1:3]:
            path.unlink()
        drain(forwarder)
        assert forwarder.counts["forward_skipped_segments"] == 2
        assert target.ids[:20] == sent[:20]
        assert target.ids[-20:] == sent[-20:]
        assert len(target.ids) < len(sent)
