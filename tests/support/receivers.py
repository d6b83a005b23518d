"""Real OTLP receivers on free loopback ports, and gate spans to send them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider

from agentcop_core import attributes as names

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.sampling import Sampler
    from opentelemetry.trace import Tracer

Request = trace_service_pb2.ExportTraceServiceRequest


def spans_of(request: Request) -> list[Span]:
    return [span for group in request.resource_spans for scoped in group.scope_spans for span in scoped.spans]


def attributes_of(span: Span) -> dict[str, str]:
    return {item.key: item.value.string_value for item in span.attributes}


@contextmanager
def gate_tracer(processor: SpanProcessor, sampler: Sampler | None = None) -> Iterator[Tracer]:
    """A tracer of our scope whose spans end at `processor`, which is shut down at the end."""
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    try:
        yield provider.get_tracer(names.SCOPE)
    finally:
        provider.shutdown()


class HttpReceiver:
    """OTLP/HTTP. `answers` are given out first to last; then 200."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.asked = threading.Event()
        self.hold: threading.Event | None = None
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self._open: set[socket.socket] = set()

    def start(self) -> HttpReceiver:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                receiver._open.add(self.connection)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.asked.set()
                if receiver.hold is not None:
                    receiver.hold.wait(30)
                status = receiver.answers.pop(0) if receiver.answers else 200
                if status == 200:
                    receiver.headers.append(dict(self.headers))
                    receiver.spans.extend(spans_of(Request.FromString(body)))
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
                """Say nothing."""

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = False

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()
        return self

    def stop(self) -> None:
        """As if it were killed: the port refuses, open connections break."""
        if self._server is None:
            return
        self._server.shutdown()
        for connection in self._open:
            with_end(connection)
        self._open.clear()
        self._server.server_close()
        self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ids(self) -> list[str]:
        return [span.span_id.hex() for span in self.spans]


def with_end(connection: socket.socket) -> None:
    """Break the connection, which may be broken already."""
    try:
        connection.shutdown(2)
    except OSError:
        return


class GrpcReceiver(trace_service_pb2_grpc.TraceServiceServicer):
    """OTLP/gRPC."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.metadata: list[dict[str, str | bytes]] = []
        self.port = 0
        self._server: grpc.Server | None = None

    def Export(  # noqa: N802 -- the service's name
        self, request: Request, context: grpc.ServicerContext
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        self.metadata.append(dict(context.invocation_metadata()))
        self.spans.extend(spans_of(request))
        return trace_service_pb2.ExportTraceServiceResponse()

    def start(self) -> GrpcReceiver:
        self._server = grpc.server(ThreadPoolExecutor(2))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]  # generated
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop(0).wait()
        self._server = None

    @property
    def ids(self) -> list[str]:
        return [span.span_id.hex() for span in self.spans]
