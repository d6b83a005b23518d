"""Whatever comes over the wire gets an answer, holds no memory, and leaves the next client alone."""

from __future__ import annotations

import gzip
import http.client
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any

import grpc
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from agentcop_detectors.normalise.frames import steps_of
from otlp_requests import as_json, request

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Start = Callable[..., AbstractContextManager[Any]]

ENOUGH = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
BINARY, JSON = "application/x-protobuf", "application/json"


def post(address: str, body: bytes, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        connection.request("POST", "/v1/traces", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def spoiled(whole: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with a piece cut out and another put in."""
    place = st.integers(0, len(whole))
    return st.builds(
        lambda one, other, piece: whole[: min(one, other)] + piece + whole[max(one, other) :],
        place,
        place,
        st.binary(max_size=8),
    )


def good(running: Any) -> bool:
    return post(running.http, request(1).SerializeToString(), {"Content-Type": BINARY}) == 200


def test_every_http_body_is_answered_and_what_is_taken_can_be_read(start: Start) -> None:
    binary = request(3).SerializeToString()
    text = orjson.dumps(as_json(request(3)))
    bodies = st.one_of(st.binary(max_size=300), spoiled(binary), spoiled(text), spoiled(gzip.compress(binary)))

    with start(max_body=64 * 1024) as running:

        @ENOUGH
        @given(bodies, st.sampled_from([BINARY, JSON]), st.sampled_from(["", "gzip"]))
        def answered(body: bytes, kind: str, coding: str) -> None:
            headers = {"Content-Type": kind} | ({"Content-Encoding": coding} if coding else {})
            assert post(running.http, body, headers) in {200, 400, 413}

        answered()
        assert good(running)
        counts: Counter[Any] = Counter()
        for frame in running.frames():
            before = counts.total()
            list(steps_of(frame, None, counts))
            assert counts.total() > before


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="deeper than any parser goes"),
        pytest.param(
            b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"'
            + b"a" * 5_000
            + b'","attributes":'
            + b"[" * 500
            + b"]" * 500
            + b"}]}]}]}",
            id="read but never written again",
        ),
        pytest.param(b'{"resourceSpans": 1e999999999}', id="a huge number"),
        pytest.param(b'{"resourceSpans":[{"scopeSpans":[{"spans":[1]}]}]}', id="a number for a span"),
        pytest.param(b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\xff"}]}]}]}', id="no UTF-8"),
        pytest.param(b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\\ud800"}]}]}]}', id="half a character"),
    ],
)
def test_hostile_json_is_malformed_and_no_fault_of_ours(start: Start, body: bytes) -> None:
    with start(largest_span=4 * 1024) as running:
        assert post(running.http, body, {"Content-Type": JSON}) == 400
        assert good(running)


@pytest.mark.parametrize("kind", [BINARY, JSON])
def test_a_bomb_in_a_bomb_and_a_long_tail_of_nothing_are_refused(start: Start, kind: str) -> None:
    bomb = gzip.compress(b"\x00" * 20_000_000)
    with start() as running:
        for body in (bomb, gzip.compress(bomb), bomb + b"\x00" * 1_000, bomb[:-8]):
            assert post(running.http, body, {"Content-Type": kind, "Content-Encoding": "gzip"}) in {400, 413}
        assert good(running)


def test_no_bytes_on_the_grpc_port_keep_the_next_client_from_being_served(start: Start) -> None:
    frames = st.builds(
        lambda kind, flags, stream, body: len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream + body,
        st.integers(0, 12),
        st.integers(0, 255),
        st.binary(min_size=4, max_size=4),
        st.binary(max_size=60),
    )

    with start() as running:

        @ENOUGH
        @given(st.one_of(st.just(PREFACE), st.just(b"")), st.lists(frames, max_size=4), st.binary(max_size=40))
        def sent(preface: bytes, given_frames: list[bytes], rest: bytes) -> None:
            host, port = running.grpc.rsplit(":", 1)
            with socket.create_connection((host, int(port)), timeout=60) as peer:
                peer.sendall(preface + b"".join(given_frames) + rest)

        sent()
        with grpc.insecure_channel(running.grpc) as channel:
            TraceServiceStub(channel).Export(request(1), timeout=60)  # type: ignore[no-untyped-call]  # generated code
        assert len(running.frames()) == 1


def test_every_grpc_message_is_taken_or_refused_for_good(start: Start) -> None:
    whole = request(3).SerializeToString()
    with start() as running, grpc.insecure_channel(running.grpc) as channel:
        export: Any = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")

        @ENOUGH
        @given(st.one_of(st.binary(max_size=300), spoiled(whole)))
        def answered(body: bytes) -> None:
            try:
                export(body)
            except grpc.RpcError as error:
                assert error.code() is grpc.StatusCode.INVALID_ARGUMENT  # noqa: PT017 -- an answer, not a failure

        answered()
        export(whole)
