"""Exports that aim at the test receivers, spans that end in them, and what they left in the spool."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from agentcop_core.spool import SpoolReader, SpoolWriter
from agentcop_processor.export import DetectorExport
from agentcop_processor.export.delivery import Delivery
from agentcop_processor.export.otlp_json import from_line
from agentcop_processor.export.sender import Endpoint, Sender, Sent, sender_to
from receivers import GrpcReceiver, HttpReceiver, spans_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opentelemetry.proto.trace.v1.trace_pb2 import Span
    from opentelemetry.trace import Tracer


def spooled(home: Path) -> list[Span]:
    """What the detector of this machine reads from the spool."""
    reader = SpoolReader(home / "spool")
    return [span for line in reader.lines(live=True) for span in spans_of(from_line(line.data))]


def ended(tracer: Tracer, name: str = "execute_tool pay") -> str:
    span = tracer.start_span(name)
    span.end()
    return f"{span.get_span_context().span_id:016x}"


def ids(spans: list[Span]) -> list[str]:
    return [span.span_id.hex() for span in spans]


def until(true: Callable[[], bool]) -> None:
    for _ in range(6000):  # a minute: this machine may be busy
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it did not come true")


def export_to(
    receiver: HttpReceiver | GrpcReceiver, home: Path, *, patience: float = 2.0, queue_spans: int = 2048
) -> DetectorExport:
    """An export to the receiver that retries at once."""
    if isinstance(receiver, GrpcReceiver):
        endpoint = Endpoint(protocol="grpc", tls=False, host="127.0.0.1", port=receiver.port, path="")
    else:
        endpoint = Endpoint(protocol="http", tls=False, host="127.0.0.1", port=receiver.port, path="/v1/traces")
    spool = SpoolWriter(home / "spool", bound_for=endpoint.mark)
    delivery = Delivery(spool, Patient(sender_to(endpoint), patience), jitter=lambda: -0.98)
    return DetectorExport(delivery, delay=0.01, queue_spans=queue_spans)


class Patient:
    """The real sender with a time-out of the test's own."""

    def __init__(self, sender: Sender, timeout: float) -> None:
        self.sender, self.timeout = sender, timeout
        self.close, self.forget = sender.close, sender.forget

    def send(self, body: bytes, timeout: float = 0) -> Sent:
        return self.sender.send(body, self.timeout)
