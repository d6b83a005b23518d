"""OTLP over gRPC: the one method of the trace service, on raw bytes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Never

import grpc

from agentcop_detectors.receive.answers import (
    INVALID_ARGUMENT,
    RESOURCE_EXHAUSTED,
    UNAUTHENTICATED,
    UNAVAILABLE,
    response,
    status,
)
from agentcop_detectors.receive.bodies import Malformed, TooLarge
from agentcop_detectors.receive.intake import Busy
from agentcop_detectors.segments.frame import Encoding

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    from agentcop_detectors.receive.intake import Intake
    from agentcop_detectors.segments.log import NotWritten

SERVICE: Final = "opentelemetry.proto.collector.trace.v1.TraceService"
_THREADS: Final = 16
_DETAILS: Final = "grpc-status-details-bin"
_CODES: Final = {
    INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    RESOURCE_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
}
_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
)


def grpc_server(intake: Intake, *, threads: int = _THREADS) -> grpc.Server:
    """A server without a port yet; `add_insecure_port` or `add_secure_port`, then `start`.

    gRPC itself unpacks gzip, and refuses a message that is larger than the limit, packed or unpacked.
    """
    handler: grpc.RpcMethodHandler[bytes, ExportTraceServiceResponse] = grpc.unary_unary_rpc_method_handler(
        _Export(intake), request_deserializer=None, response_serializer=lambda answer: answer.SerializeToString()
    )
    server = grpc.server(
        ThreadPoolExecutor(threads, thread_name_prefix="agentcop-grpc"),
        options=[*_OPTIONS, ("grpc.max_receive_message_length", intake.max_body)],
        maximum_concurrent_rpcs=threads * 16,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Export": handler}),))
    return server


class _Export:
    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def __call__(self, body: bytes, context: grpc.ServicerContext) -> ExportTraceServiceResponse:
        """One request; blocks its thread until the disk has it."""
        sent = {key: value for key, value in context.invocation_metadata() if key == "authorization"}
        source = self._intake.tokens.source(str(sent.get("authorization", "")))
        if source is None:
            self._intake.counts.add("refused_token")
            _refuse(context, UNAUTHENTICATED, "a token is needed: authorization: Bearer …")
        size = len(body)
        try:
            self._intake.hold(size)
        except Busy:
            _refuse(context, RESOURCE_EXHAUSTED, "busy: come again", retry=True)
        try:
            return self._keep(body, source, context)
        finally:
            self._intake.give_back(size)

    def _keep(self, body: bytes, source: str, context: grpc.ServicerContext) -> ExportTraceServiceResponse:
        outcome: list[NotWritten | None] = []
        written = threading.Event()

        def done(failed: NotWritten | None) -> None:
            outcome.append(failed)
            written.set()

        try:
            taken = self._intake.take(body, Encoding.PROTOBUF, "", source, done)
        except TooLarge as error:
            self._intake.counts.add("too_large")
            _refuse(context, INVALID_ARGUMENT, str(error))
        except Malformed as error:
            self._intake.counts.add("malformed")
            _refuse(context, INVALID_ARGUMENT, str(error))
        written.wait()
        if outcome[0] is not None:
            _refuse(context, UNAVAILABLE, "the request could not be written to disk", retry=True)
        return response(taken)


def _refuse(context: grpc.ServicerContext, code: int, message: str, *, retry: bool = False) -> Never:
    context.set_trailing_metadata(((_DETAILS, status(code, message, retry=retry).SerializeToString()),))
    context.abort(_CODES[code], message)
