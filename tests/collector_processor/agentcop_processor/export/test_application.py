from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

from agentcop_core import attributes as names
from agentcop_processor.export import application_exporter
from receivers import HttpReceiver

ENDPOINT, TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
PROTOCOL, TRACES_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({ENDPOINT: ""}, None),
        ({ENDPOINT: "http://localhost:4318"}, HttpExporter),
        ({TRACES: "http://localhost:4318/v1/traces"}, HttpExporter),
        ({ENDPOINT: "http://localhost:4317"}, GrpcExporter),
        ({ENDPOINT: "http://localhost:4317", PROTOCOL: "http/protobuf"}, HttpExporter),
        ({ENDPOINT: "http://localhost:4318", PROTOCOL: "grpc"}, GrpcExporter),
        ({ENDPOINT: "http://localhost:4318", PROTOCOL: "http/protobuf", TRACES_PROTOCOL: "grpc"}, GrpcExporter),
        ({ENDPOINT: "http://localhost:4317", TRACES: "http://localhost:9999"}, HttpExporter),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, HttpExporter),
        ({"OTEL_TRACES_EXPORTER": "console"}, ConsoleSpanExporter),
        ({ENDPOINT: "http://localhost:4318", "OTEL_TRACES_EXPORTER": "none"}, None),
        ({ENDPOINT: "http://localhost:4318", "OTEL_TRACES_EXPORTER": "console"}, ConsoleSpanExporter),
        ({ENDPOINT: "http://localhost:4318", "OTEL_SDK_DISABLED": "true"}, None),
        ({ENDPOINT: "http://localhost:4318", "OTEL_TRACES_EXPORTER": "zipkin"}, None),
    ],
)
def test_the_environment_chooses_as_opentelemetry_says(
    environ: dict[str, str], expected: type | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    exporter = application_exporter(environ)
    assert (type(exporter) if exporter else None) is expected
    if exporter is not None:
        exporter.shutdown()


def test_an_unknown_protocol_falls_back_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {ENDPOINT: "http://localhost:4318", PROTOCOL: "http/json"}
    exporter = application_exporter(environ)
    assert isinstance(exporter, HttpExporter)
    assert "http/json" in caplog.text
    exporter.shutdown()  # type: ignore[no-untyped-call]  # the exporter's


def test_a_setting_that_is_nonsense_stops_no_agent(caplog: pytest.LogCaptureFixture) -> None:
    assert application_exporter({ENDPOINT: "http://localhost:notaport"}) is None
    assert "could not be made" in caplog.text


def test_a_span_arrives_by_the_environment_alone_with_its_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    receiver = HttpReceiver().start()
    monkeypatch.setenv(ENDPOINT, receiver.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue")
    exporter = application_exporter()
    assert exporter is not None
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    provider.get_tracer(names.SCOPE).start_span("execute_tool pay").end()
    provider.shutdown()
    assert [span.name for span in receiver.spans] == ["execute_tool pay"]
    assert receiver.headers[0]["x-team"] == "blue"
    receiver.stop()


def test_nothing_is_imported_unless_it_is_asked_for() -> None:
    program = (
        "import sys; from agentcop_processor.export import application_exporter;"
        "assert application_exporter({}) is None;"
        "print([m for m in sys.modules if 'otlp' in m or m == 'grpc' or m == 'requests'])"
    )
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert shown.stdout.strip() == "['agentcop_core.otlp', 'agentcop_core.otlp.lines']"
