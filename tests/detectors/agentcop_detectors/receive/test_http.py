"""OTLP over HTTP as its specification has it: what is acknowledged is on disk, what is refused is not."""

from __future__ import annotations

import gzip
import http.client
import json
import time
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from agentcop_detectors.segments.frame import Encoding
from otlp_requests import as_json, request

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Start = Callable[..., AbstractContextManager[Any]]

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json; charset=utf-8"}


def post(
    where: str, body: bytes, headers: dict[str, str], path: str = "/v1/traces", method: str = "POST"
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(where, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def until(holds: Callable[[], bool]) -> None:
    """Wait for it; half a minute is for a busy machine."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_binary_request_is_on_disk_when_it_is_acknowledged(start: Start) -> None:
    body = request(3).SerializeToString()
    with start() as running:
        status, headers, answer = post(running.http, body, PROTOBUF)

        assert (status, headers["content-type"]) == (200, "application/x-protobuf")
        assert ExportTraceServiceResponse.FromString(answer) == ExportTraceServiceResponse()
        assert [frame.body for frame in running.frames()] == [body]
        assert running.intake.counts.all() == {"requests": 1, "spans": 3, "bytes": len(body)}


def test_a_json_request_is_kept_as_json_and_answered_in_json(start: Start) -> None:
    body = json.dumps(as_json(request(2))).encode()
    with start() as running:
        status, headers, answer = post(running.http, body, JSON)

        assert (status, headers["content-type"], answer) == (200, "application/json", b"{}")
        assert [(frame.encoding, frame.body) for frame in running.frames()] == [(Encoding.JSON, body)]


def test_gzip_is_unpacked_and_other_codings_are_refused(start: Start) -> None:
    body = request(2).SerializeToString()
    with start() as running:
        assert post(running.http, gzip.compress(body), {**PROTOBUF, "Content-Encoding": "gzip"})[0] == 200
        assert post(running.http, zlib.compress(body), {**PROTOBUF, "Content-Encoding": "deflate"})[0] == 400

        assert [frame.body for frame in running.frames()] == [body]


def test_a_bomb_is_refused_before_it_unpacks(start: Start) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000)
    with start() as running:
        status, _, _ = post(running.http, bomb, {**PROTOBUF, "Content-Encoding": "gzip"})

        assert status == 413
        assert running.frames() == []
        assert running.intake.counts.all() == {"too_large": 1}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(b"\xff\xff\xff", PROTOBUF, id="no message"),
        pytest.param(b"{", JSON, id="cut"),
        pytest.param(b"[]", JSON, id="a list"),
        pytest.param(b'{"resourceSpans": 1}', JSON, id="a number for a list"),
        pytest.param(b'{"resourceSpans": [1]}', JSON, id="a number for an object"),
        pytest.param(b'{"resourceSpans": [{"scopeSpans": [{"spans": [1]}]}]}', JSON, id="a number for a span"),
        pytest.param(b'{"resourceSpans": ' + b"[" * 100_000, JSON, id="deep"),
        pytest.param(b'{"resourceSpans": "\xff"}', JSON, id="no UTF-8"),
        pytest.param(b"no gzip", {**PROTOBUF, "Content-Encoding": "gzip"}, id="no gzip"),
        pytest.param(gzip.compress(b"")[:-3], {**PROTOBUF, "Content-Encoding": "gzip"}, id="cut gzip"),
        pytest.param(gzip.compress(b"") + b"behind", {**PROTOBUF, "Content-Encoding": "gzip"}, id="more behind gzip"),
    ],
)
def test_what_is_malformed_is_never_to_be_sent_again(start: Start, body: bytes, headers: dict[str, str]) -> None:
    with start() as running:
        status, answer_headers, answer = post(running.http, body, headers)

        assert status == 400
        if "protobuf" in answer_headers["content-type"]:
            assert Status.FromString(answer).message
        else:
            assert json.loads(answer)["message"]
        assert running.frames() == []
        assert running.intake.counts.all() == {"malformed": 1}


def test_a_request_without_spans_is_fine_and_leaves_nothing(start: Start) -> None:
    with start() as running:
        assert post(running.http, b"", PROTOBUF)[0] == 200
        assert post(running.http, b"{}", JSON)[::2] == (200, b"{}")
        assert running.frames() == []


@pytest.mark.parametrize("headers", [PROTOBUF, JSON])
def test_a_span_over_the_limit_is_rejected_alone_and_said_so(start: Start, headers: dict[str, str]) -> None:
    made = request(2)
    made.resource_spans[0].scope_spans[0].spans[1].attributes[0].value.string_value = "x" * 5_000
    body = made.SerializeToString() if headers is PROTOBUF else json.dumps(as_json(made)).encode()
    with start(largest_span=2_000) as running:
        status, _, answer = post(running.http, body, headers)

        assert status == 200
        if headers is PROTOBUF:
            partial = ExportTraceServiceResponse.FromString(answer).partial_success
            assert (partial.rejected_spans, bool(partial.error_message)) == (1, True)
            kept = ExportTraceServiceRequest.FromString(running.frames()[0].body)
            assert [span.name for span in kept.resource_spans[0].scope_spans[0].spans] == ["span 0"]
        else:
            assert json.loads(answer)["partialSuccess"]["rejectedSpans"] == "1"
            spans = json.loads(running.frames()[0].body)["resourceSpans"][0]["scopeSpans"][0]["spans"]
            assert [span["name"] for span in spans] == ["span 0"]
        assert running.intake.counts.all()["rejected_spans"] == 1


def test_too_large_is_refused_whether_or_not_its_length_is_declared(start: Start) -> None:
    with start(max_body=10_000) as running:
        assert post(running.http, b"x" * 10_001, PROTOBUF)[0] == 413

        connection = http.client.HTTPConnection(running.http, timeout=30)
        chunks = iter([b"x" * 4_000] * 3)
        connection.request("POST", "/v1/traces", chunks, PROTOBUF, encode_chunked=True)
        assert connection.getresponse().status == 413
        connection.close()
        assert running.frames() == []


def test_a_full_house_answers_come_again_and_takes_it_then(start: Start) -> None:
    lag = [0]
    body = request().SerializeToString()
    with start(lag=lambda: lag[0], max_lag=1_000) as running:
        lag[0] = 1_001
        status, headers, _ = post(running.http, body, PROTOBUF)
        assert (status, headers["retry-after"]) == (429, "1")
        assert running.frames() == []
        lag[0] = 0

        assert post(running.http, body, PROTOBUF)[0] == 200
        assert len(running.frames()) == 1
        assert running.intake.counts.all()["refused_busy"] == 1


def test_memory_held_by_slow_clients_is_bounded_and_given_back(start: Start) -> None:
    body = request().SerializeToString()
    with start(max_in_flight=50_000, max_body=40_000) as running:
        slow = http.client.HTTPConnection(running.http, timeout=30)
        slow.putrequest("POST", "/v1/traces")
        slow.putheader("Content-Type", "application/x-protobuf")
        slow.putheader("Content-Length", "40000")
        slow.endheaders(b"\0" * 100)
        until(lambda: post(running.http, b"\xff" * 20_000, PROTOBUF)[0] == 429)
        assert running.frames() == []
        slow.close()

        until(lambda: post(running.http, body, PROTOBUF)[0] == 200)
        assert len(running.frames()) == 1


def test_a_disk_that_fails_is_unavailable_and_nothing_is_acknowledged(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    def full(descriptor: int, chunks: list[bytes]) -> int:
        raise OSError(28, "No space left on device")

    with start() as running:
        monkeypatch.setattr(os, "writev", full)
        status, headers, _ = post(running.http, request().SerializeToString(), PROTOBUF)
        monkeypatch.undo()

        assert (status, headers["retry-after"]) == (503, "1")
        assert post(running.http, request().SerializeToString(), PROTOBUF)[0] == 200
        assert len(running.frames()) == 1


def test_other_methods_types_and_paths_are_refused_by_their_name(start: Start) -> None:
    with start() as running:
        status, headers, _ = post(running.http, b"", PROTOBUF, method="GET")
        assert (status, headers["allow"]) == (405, "POST")
        assert post(running.http, b"", {"Content-Type": "text/plain"})[0] == 415
        assert post(running.http, b"", {})[0] == 415
        assert post(running.http, b"", PROTOBUF, path="/v1/metrics")[0] == 404
        assert running.frames() == []


def test_a_refused_client_that_sends_much_sees_why_and_when_to_come_again(start: Start) -> None:
    body = request(2_000, text="x" * 4_000).SerializeToString()
    with start(lag=lambda: 2**40) as running:
        status, headers, _ = post(running.http, body, PROTOBUF)

        assert (status, headers["retry-after"]) == (429, "1")
        assert running.frames() == []
