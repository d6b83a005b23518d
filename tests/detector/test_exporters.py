"""OpenTelemetry's own exporters, of Python and of Node, send to the detector as they send to anybody."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import trustme
import yaml
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from detector_service import PATIENCE, detector, post
from exporting import until
from otlp_requests import request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from detector_service import Service

pytestmark = pytest.mark.detector

TOKEN = "made-up-token-of-billing"
RUNS = "SELECT agent_id, steps FROM runs"


def some_spans(agent: str, tools: int = 4, huge: int = 0) -> Sequence[ReadableSpan]:
    """One run of an agent, as the SDK of Python has it."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": agent}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("test")
    named = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.id": agent}
    with tracer.start_as_current_span(f"invoke_agent {agent}", attributes=named):
        for number in range(tools):
            called = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"}
            if huge and not number:
                called["text"] = "x" * huge
            tracer.start_span("execute_tool look", attributes=called).end()
    provider.shutdown()
    return kept.get_finished_spans()


def python_exporter(kind: str, service: Service, token: str = "", ca: str = "") -> GrpcExporter | HttpExporter:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    if kind == "grpc":
        credentials = grpc.ssl_channel_credentials(Path(ca).read_bytes()) if ca else None
        return GrpcExporter(
            endpoint=service.grpc,
            insecure=not ca,
            credentials=credentials,
            headers=headers,
            compression=grpc.Compression.Gzip,
            timeout=10,
        )
    url = service.http.replace("http://", "https://") if ca else service.http
    return HttpExporter(
        endpoint=f"{url}/v1/traces",
        headers=headers,
        compression=Compression.Gzip,
        timeout=10,
        certificate_file=ca or None,
    )


def sent_by_python(kind: str, service: Service, agent: str = "python-agent", token: str = "", ca: str = "") -> bool:
    exporter = python_exporter(kind, service, token, ca)
    try:
        return exporter.export(some_spans(agent)) is SpanExportResult.SUCCESS
    finally:
        exporter.shutdown()


def sent_by_node(kind: str, service: Service, token: str = "", ca: str = "") -> dict[str, Any]:
    """What the exporter of Node said: code 0 is success."""
    scheme = "https" if ca else "http"
    url = f"{scheme}://{service.grpc}" if kind == "grpc" else service.http.replace("http://", f"{scheme}://")
    folder = os.environ["TEST_NODE"]
    command = ["node", "send.mjs", kind, url, "5", token, ca]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_pythons_exporter_sends_a_run(tmp_path: Path, kind: str) -> None:
    with detector(tmp_path / "home") as service:
        assert sent_by_python(kind, service)
        until(lambda: service.rows(RUNS) == [("python-agent", 5)])


@pytest.mark.parametrize("kind", ["grpc", "http", "proto"])
def test_nodes_exporter_sends_a_run(tmp_path: Path, kind: str) -> None:
    with detector(tmp_path / "home") as service:
        said = sent_by_node(kind, service)
        assert said["code"] == 0, said
        until(lambda: service.rows(RUNS) == [("node-agent", 5)])
        ((trace_id,),) = service.rows("SELECT trace_id FROM runs")
        assert bytes(trace_id).hex() == said["trace"]


def test_both_send_over_tls_and_nobody_without_the_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # requests takes these before what a session was told
        monkeypatch.delenv(variable, raising=False)
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    ca, certificate, key = (str(tmp_path / name) for name in ("ca.pem", "cert.pem", "key.pem"))
    authority.cert_pem.write_to_path(ca)
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    other = str(tmp_path / "other.pem")
    trustme.CA().cert_pem.write_to_path(other)
    with detector(tmp_path / "home", "--tls-cert", certificate, "--tls-key", key) as service:
        for kind in ("grpc", "http"):
            assert sent_by_python(kind, service, ca=ca)
        for kind in ("grpc", "http", "proto"):
            assert sent_by_node(kind, service, ca=ca)["code"] == 0
        until(lambda: service.rows("SELECT count(*), sum(steps) FROM runs") == [(5, 25)])
        assert sent_by_node("proto", service, ca=other)["code"] != 0
        assert sent_by_node("grpc", service, ca=other)["code"] != 0
        assert service.rows("SELECT count(*) FROM runs") == [(5,)]


def test_a_token_is_needed_and_speaks_for_its_own_agents_alone(tmp_path: Path) -> None:
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    tokens = tmp_path / "tokens.yaml"
    tokens.write_text(yaml.safe_dump({digest: ["python-*", "node-agent"]}), encoding="utf-8")
    with detector(tmp_path / "home", "--tokens", tokens) as service:
        for kind in ("grpc", "http"):
            assert sent_by_python(kind, service, token=TOKEN)
            assert not sent_by_python(kind, service)
            assert not sent_by_python(kind, service, token="guessed")
            assert sent_by_python(kind, service, agent="somebody-else", token=TOKEN)
        for kind in ("grpc", "http", "proto"):
            assert sent_by_node(kind, service, token=TOKEN)["code"] == 0
            assert sent_by_node(kind, service)["code"] != 0
        until(lambda: service.metric('agentcop_detector_passed_over_total{reason="foreign"}') == 10)
        until(lambda: service.rows("SELECT count(*) FROM runs") == [(5,)])
        assert {agent for agent, _ in service.rows(RUNS)} == {"python-agent", "node-agent"}
        refused = 'agentcop_detector_refused_requests_total{reason="token",source="otlp"}'
        until(lambda: service.metric(refused) == 7)
        assert TOKEN not in service.log


def test_a_front_that_was_killed_loses_nothing_that_an_exporter_was_told_it_has(tmp_path: Path) -> None:
    with detector(tmp_path / "home", "--grpc", "off") as service:
        sent = 0
        for _ in range(3):
            sent += sent_by_python("http", service)
            service.kill("front")
            service.wait_ready()
        assert sent == 3
        until(lambda: service.rows("SELECT count(*), sum(steps) FROM runs") == [(3, 15)])


@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_an_exporter_that_is_told_to_come_again_succeeds_once_there_is_room(tmp_path: Path, kind: str) -> None:
    with detector(tmp_path / "home") as service:
        scorer = service.pid("scorer")
        os.kill(scorer, signal.SIGSTOP)
        try:
            fill(service)
            outcome: list[bool] = []
            exporter = threading.Thread(target=lambda: outcome.append(sent_by_python(kind, service)))
            exporter.start()
            busy = 'agentcop_detector_refused_requests_total{reason="busy",source="otlp"}'
            before = service.metric(busy)
            until(lambda: service.metric(busy) > before)
        finally:
            os.kill(scorer, signal.SIGCONT)
        exporter.join(PATIENCE)
        assert outcome == [True]
        until(lambda: service.rows("SELECT steps FROM runs WHERE agent_id = 'python-agent'") == [(5,)])


def fill(service: Service) -> None:
    """Send until the detector says that it is busy."""
    body = request(1_000, text="x" * 4_000).SerializeToString()
    for _ in range(20):
        if post(f"{service.http}/v1/traces", body, Content_Type="application/x-protobuf")[0] == 429:
            return
    pytest.fail("it took everything")


@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_a_span_over_the_limit_costs_an_exporter_that_span_alone(tmp_path: Path, kind: str) -> None:
    with detector(tmp_path / "home") as service:
        exporter = python_exporter(kind, service)
        tracer_spans = [*some_spans("python-agent"), *some_spans("python-agent", huge=2_000_000)]
        assert exporter.export(tracer_spans) is SpanExportResult.SUCCESS
        exporter.shutdown()
        until(lambda: service.metric('agentcop_detector_rejected_spans_total{source="otlp"}') == 1)
        until(lambda: service.rows("SELECT sum(steps) FROM runs") == [(9,)])


def test_a_client_without_a_certificate_of_the_authority_is_not_heard(tmp_path: Path) -> None:
    authority, clients = trustme.CA(), trustme.CA()
    issued, known = authority.issue_cert("localhost", "127.0.0.1"), clients.issue_cert("agent")
    ca, certificate, key, client_ca = (str(tmp_path / name) for name in ("ca", "cert", "key", "clients"))
    mine, my_key = str(tmp_path / "mine"), str(tmp_path / "my-key")
    authority.cert_pem.write_to_path(ca)
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    clients.cert_pem.write_to_path(client_ca)
    known.cert_chain_pems[0].write_to_path(mine)
    known.private_key_pem.write_to_path(my_key)
    options = ("--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", client_ca)
    with detector(tmp_path / "home", *options) as service:
        for kind in ("grpc", "proto"):
            assert sent_by_node(kind, service, ca=ca)["code"] != 0
        credentials = grpc.ssl_channel_credentials(
            Path(ca).read_bytes(), Path(my_key).read_bytes(), Path(mine).read_bytes()
        )
        exporter = GrpcExporter(endpoint=service.grpc, credentials=credentials, timeout=10)
        assert exporter.export(some_spans("python-agent")) is SpanExportResult.SUCCESS
        exporter.shutdown()
        until(lambda: service.rows(RUNS) == [("python-agent", 5)])
