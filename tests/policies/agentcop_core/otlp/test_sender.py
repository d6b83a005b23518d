from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from agentcop_core.otlp.sender import GrpcSender, HttpSender, Sender, parse_endpoint, sender_to
from receivers import GrpcReceiver, HttpReceiver, Request

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("text", "protocol", "url"),
    [
        ("http://localhost:4318", "http", "http://localhost:4318/v1/traces"),
        ("http://localhost:4318/", "http", "http://localhost:4318/v1/traces"),
        ("http://localhost:4318/v1/traces", "http", "http://localhost:4318/v1/traces"),
        ("https://cop.example/tenant/", "http", "https://cop.example:443/tenant/v1/traces"),
        ("http://detector", "http", "http://detector:4318/v1/traces"),
        ("detector:9999", "http", "http://detector:9999/v1/traces"),
        ("http://localhost:4317", "grpc", "http://localhost:4317"),
        ("localhost:4317", "grpc", "http://localhost:4317"),
        ("https://cop.example:4317", "grpc", "https://cop.example:4317"),
        ("http://[::1]:4318", "http", "http://[::1]:4318/v1/traces"),
        ("grpc://tempo:9999", "grpc", "http://tempo:9999"),
        ("grpcs://tempo", "grpc", "https://tempo:4317"),
    ],
)
def test_the_endpoint_is_read_as_people_write_it(text: str, protocol: str, url: str) -> None:
    endpoint = parse_endpoint(text)
    assert (endpoint.protocol, str(endpoint)) == (protocol, url)
    assert isinstance(sender_to(endpoint), GrpcSender if protocol == "grpc" else HttpSender)


@pytest.mark.parametrize(
    "text",
    ["", "ftp://host", "http://", "http://host:x", "http://u:secret@host", "http://h/?a=1", "http://[::1", "://"],
)
def test_an_endpoint_that_is_none_is_refused_without_its_secrets(text: str) -> None:
    with pytest.raises(ValueError, match="AGENTCOP_OTLP_ENDPOINT") as refused:
        parse_endpoint(text)
    assert "secret" not in str(refused.value)


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver().start()
    yield receiver
    receiver.stop()


@pytest.fixture
def http_sender(http: HttpReceiver) -> Iterator[Sender]:
    sender = HttpSender(parse_endpoint(http.url), "t0ken")
    yield sender
    sender.close()


def body(name: str = "a") -> bytes:
    request = Request()
    request.resource_spans.add().scope_spans.add().spans.add(name=name, span_id=b"12345678")
    return request.SerializeToString()


def test_http_sends_protobuf_with_the_token(http: HttpReceiver, http_sender: Sender) -> None:
    assert http_sender.send(body()).outcome == "sent"
    assert http_sender.send(body("b")).outcome == "sent"
    assert [span.name for span in http.spans] == ["a", "b"]
    assert http.headers[0]["Authorization"] == "Bearer t0ken"
    assert http.headers[0]["Content-Type"] == "application/x-protobuf"


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_malformed_is_refused_for_good(http: HttpReceiver, http_sender: Sender, status: int) -> None:
    http.answers = [status]
    sent = http_sender.send(body())
    assert (sent.outcome, sent.why) == ("refused", f"HTTP {status}")


@pytest.mark.parametrize("status", [302, 401, 403, 404, 429, 500, 502, 503])
def test_everything_else_is_kept_for_later(http: HttpReceiver, http_sender: Sender, status: int) -> None:
    http.answers = [status]
    assert http_sender.send(body()).outcome == "later"
    assert http_sender.send(body()).outcome == "sent"


def test_a_connection_that_broke_while_idle_is_made_anew(http: HttpReceiver, http_sender: Sender) -> None:
    assert http_sender.send(body("a")).outcome == "sent"
    http.stop()
    assert http_sender.send(body("b")).outcome == "later"
    http.start()
    assert http_sender.send(body("c")).outcome == "sent"
    http.stop()
    http.start()
    assert http_sender.send(body("d")).outcome == "sent"
    assert [span.name for span in http.spans] == ["a", "c", "d"]


def test_a_receiver_that_says_nothing_costs_the_timeout_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = HttpSender(parse_endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}"))
        assert sender.send(body(), timeout=0.1).outcome == "later"
        sender.close()


def test_grpc_sends_with_the_token_and_comes_back_after_a_restart() -> None:
    receiver = GrpcReceiver().start()
    endpoint = parse_endpoint("http://127.0.0.1:4317")
    sender = GrpcSender(
        type(endpoint)(protocol="grpc", tls=False, host="127.0.0.1", port=receiver.port, path=""), "t0ken"
    )
    assert sender.send(body("a")).outcome == "sent"
    assert receiver.metadata[0]["authorization"] == "Bearer t0ken"
    receiver.stop()
    down = sender.send(body("b"), timeout=1)
    assert (down.outcome, down.why) == ("later", "UNAVAILABLE")
    receiver.start()
    assert sender.send(body("c")).outcome == "sent"
    assert [span.name for span in receiver.spans] == ["a", "c"]
    sender.close()
    receiver.stop()


def test_grpc_refuses_what_is_malformed() -> None:
    receiver = GrpcReceiver().start()
    sender = GrpcSender(
        type(parse_endpoint("h:4317"))(protocol="grpc", tls=False, host="127.0.0.1", port=receiver.port, path="")
    )
    assert sender.send(b"\xff\xff\xff").outcome == "later"
    sender.close()
    receiver.stop()
