"""OTLP over gRPC: the same promises as over HTTP."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from otlp_requests import request

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Start = Callable[..., AbstractContextManager[Any]]


def export(where: str, made: ExportTraceServiceRequest, **options: Any) -> Any:
    with grpc.insecure_channel(where) as channel:
        return TraceServiceStub(channel).Export(made, timeout=30, **options)  # type: ignore[no-untyped-call]


def refusal(where: str, made: ExportTraceServiceRequest) -> grpc.Call:
    with pytest.raises(grpc.RpcError) as refused:
        export(where, made)
    return cast("grpc.Call", refused.value)


def detail(call: grpc.Call) -> Status:
    found = dict(call.trailing_metadata() or ()).get("grpc-status-details-bin")
    assert isinstance(found, bytes)
    return Status.FromString(found)


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_request_is_on_disk_when_it_is_acknowledged(start: Start, compression: grpc.Compression) -> None:
    made = request(5, text="x" * 1_000)
    with start() as running:
        answer = export(running.grpc, made, compression=compression)

        assert not answer.HasField("partial_success")
        assert [frame.body for frame in running.frames()] == [made.SerializeToString()]


def test_a_span_over_the_limit_is_rejected_alone_and_said_so(start: Start) -> None:
    made = request(3)
    made.resource_spans[0].scope_spans[0].spans[0].attributes[0].value.string_value = "x" * 5_000
    with start(largest_span=2_000) as running:
        answer = export(running.grpc, made)

        assert answer.partial_success.rejected_spans == 1
        kept = ExportTraceServiceRequest.FromString(running.frames()[0].body)
        assert [span.name for span in kept.resource_spans[0].scope_spans[0].spans] == ["span 1", "span 2"]


def test_a_full_house_says_when_to_come_again(start: Start) -> None:
    with start(lag=lambda: 10, max_lag=1) as running:
        refused = refusal(running.grpc, request())

        assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        info = RetryInfo()
        assert detail(refused).details[0].Unpack(info)
        assert info.retry_delay.seconds == 1
        assert running.frames() == []


def test_what_is_malformed_is_never_to_be_sent_again(start: Start) -> None:
    with start() as running, grpc.insecure_channel(running.grpc) as channel:
        call: Any = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        with pytest.raises(grpc.RpcError) as refused:
            call(b"\xff\xff\xff", timeout=30)

        assert cast("grpc.Call", refused.value).code() is grpc.StatusCode.INVALID_ARGUMENT
        assert running.frames() == []
        assert running.intake.counts.all() == {"malformed": 1}


def test_too_large_is_refused_packed_or_not(start: Start) -> None:
    with start(max_body=10_000) as running:
        for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
            with pytest.raises(grpc.RpcError) as refused:
                export(running.grpc, request(1, text="x" * 100_000), compression=compression)
            assert cast("grpc.Call", refused.value).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert running.frames() == []


def test_a_disk_that_fails_is_unavailable(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    def full(descriptor: int, chunks: list[bytes]) -> int:
        raise OSError(28, "No space left on device")

    with start() as running:
        monkeypatch.setattr(os, "writev", full)
        refused = refusal(running.grpc, request())
        monkeypatch.undo()

        assert refused.code() is grpc.StatusCode.UNAVAILABLE
        assert running.frames() == []


def test_many_clients_at_once_lose_nothing(start: Start) -> None:
    with start() as running:

        def send_some() -> None:
            for _ in range(20):
                export(running.grpc, request(5))

        threads = [threading.Thread(target=send_some) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(running.frames()) == 160
        assert running.intake.counts.all()["spans"] == 800
