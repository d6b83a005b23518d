"""Sends encoded requests to an OTLP receiver: one attempt each, with a verdict on what to do with the batch next."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol, cast
from urllib.parse import urlsplit

from agentcop_core.locks import IMPORTING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import grpc

Outcome = Literal["sent", "later", "refused"]
"""`sent`: accepted. `later`: not now, so keep it. `refused`: malformed; sending it again is no use."""

TIMEOUT: Final = 5.0
"""Seconds for one attempt."""

_MALFORMED: Final = frozenset({400, 413, 415, 422})
_GRPC_PORT: Final = 4317
_HTTP_PORT: Final = 4318
_PATH: Final = "/v1/traces"
_ANSWER_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the detector listens, as `AGENTCOP_OTLP_ENDPOINT` says."""

    protocol: Literal["grpc", "http"]
    """`grpc`: OTLP/gRPC. `http`: OTLP/HTTP with protobuf bodies."""
    tls: bool
    host: str
    port: int
    path: str
    """For http; "" for gRPC."""

    @property
    def mark(self) -> str:
        """What spooled spans bound for this endpoint are marked with."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.path}"


def parse_endpoint(text: str, *, name: str = "AGENTCOP_OTLP_ENDPOINT", variable: str = "AGENTCOP_TOKEN") -> Endpoint:
    """`http://host:4318`, `https://host/prefix`, `host:4317`, `grpc://host:9999`. Raises ValueError with one sentence.

    Port 4317 means gRPC, as everywhere in OpenTelemetry, and so do the schemes grpc and grpcs; any other port means
    HTTP. Without a scheme: http. Without a port: 4318 for http, 443 for https, 4317 for gRPC. `/v1/traces` is appended
    to the path unless it ends so. `name` said it, and `variable` is
    where its token belongs: both for the sentence.
    """
    stripped = text.strip()
    try:
        parts = urlsplit(stripped if "://" in stripped else f"http://{stripped}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{name} is not a URL: {error}") from error
    if parts.scheme not in ("http", "https", "grpc", "grpcs") or not host:
        raise ValueError(f"{name} must look like http://host:4318, https://host or host:4317")
    if "@" in parts.netloc:
        raise ValueError(f"{name} must not hold credentials: put the token into {variable}")
    if parts.query or parts.fragment:
        raise ValueError(f"{name} must not have a query or a fragment")
    tls = parts.scheme in ("https", "grpcs")
    if port == _GRPC_PORT or parts.scheme in ("grpc", "grpcs"):
        return Endpoint(protocol="grpc", tls=tls, host=host, port=port or _GRPC_PORT, path="")
    port = port or (443 if tls else _HTTP_PORT)
    path = parts.path.rstrip("/")
    path = path if path.endswith(_PATH) else path + _PATH
    return Endpoint(protocol="http", tls=tls, host=host, port=port, path=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How one attempt went."""

    outcome: Outcome
    rejected: int = 0
    """Spans the receiver did not take although it took the request."""
    wait: float = 0.0
    """Seconds the receiver asked us to stay away; 0 when it did not say."""
    why: str = ""
    """For a log line; never a token, never content."""


class Sender(Protocol):
    """One connection to one endpoint; used by one thread at a time."""

    def send(self, body: bytes, timeout: float = TIMEOUT) -> Sent:
        """One attempt with a serialised ExportTraceServiceRequest. Blocks up to `timeout` a step; never raises."""

    def close(self) -> None:
        """Let the connection go; `send` makes a new one."""

    def forget(self) -> None:
        """In a forked child: the connection is the parent's; leave it alone."""


def sender_to(endpoint: Endpoint, token: str = "") -> Sender:
    """The sender for this endpoint. `token` goes along as `Authorization: Bearer`. Nothing is opened yet."""
    return GrpcSender(endpoint, token) if endpoint.protocol == "grpc" else HttpSender(endpoint, token)


class HttpSender:
    """OTLP/HTTP with protobuf bodies over one kept connection. Follows no redirect and uses no proxy."""

    def __init__(self, endpoint: Endpoint, token: str = "") -> None:
        """See `sender_to`."""
        self._endpoint = endpoint
        self._headers = {"Content-Type": "application/x-protobuf"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._connection: http.client.HTTPConnection | None = None

    def send(self, body: bytes, timeout: float = TIMEOUT) -> Sent:
        """See `Sender.send`."""
        kept = self._connection is not None
        try:
            return self._attempt(body, timeout)
        except (ConnectionError, http.client.RemoteDisconnected) as error:
            self.close()
            if not kept:
                return Sent(outcome="later", why=_name(error))
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Sent(outcome="later", why=_name(error))
        # The receiver closed an idle connection, which says nothing about this request.
        try:
            return self._attempt(body, timeout)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Sent(outcome="later", why=_name(error))

    def _attempt(self, body: bytes, timeout: float) -> Sent:
        connection = self._connection or self._connect(timeout)
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        connection.request("POST", self._endpoint.path, body, self._headers)
        response = connection.getresponse()
        answer = response.read(_ANSWER_BYTES)
        if response.will_close or not response.isclosed():
            self.close()
        if response.status in (200, 202, 204):
            protobuf = response.headers.get_content_type() == "application/x-protobuf"
            return _accepted(answer if protobuf else b"")
        why = f"HTTP {response.status}"
        if response.status in _MALFORMED:
            return Sent(outcome="refused", why=why)
        return Sent(outcome="later", wait=_seconds(response.headers.get("Retry-After")), why=why)

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if self._endpoint.tls:
            with IMPORTING:
                import ssl

            self._connection = http.client.HTTPSConnection(
                self._endpoint.host, self._endpoint.port, timeout=timeout, context=ssl.create_default_context()
            )
        else:
            self._connection = http.client.HTTPConnection(self._endpoint.host, self._endpoint.port, timeout=timeout)
        return self._connection

    def close(self) -> None:
        """See `Sender.close`."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
        self._connection = None

    def forget(self) -> None:
        """See `Sender.forget`. Closing this process's copy of the socket leaves the parent's open."""
        self.close()


class GrpcSender:
    """OTLP/gRPC over one channel."""

    def __init__(self, endpoint: Endpoint, token: str = "") -> None:
        """See `sender_to`."""
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        self._target = f"{host}:{endpoint.port}"
        self._tls = endpoint.tls
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._channel: grpc.Channel | None = None

    def send(self, body: bytes, timeout: float = TIMEOUT) -> Sent:
        """See `Sender.send`."""
        with IMPORTING:
            import grpc

        channel = self._channel or self._connect()
        # Bytes in, bytes out: the request is encoded already.
        export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
        )
        try:
            return _accepted(export(body, timeout=timeout, metadata=self._metadata))
        except grpc.RpcError as error:
            call = cast("grpc.Call", error)
            code = call.code()
            if code is grpc.StatusCode.INVALID_ARGUMENT:
                return Sent(outcome="refused", why=code.name)
            if code is grpc.StatusCode.UNAVAILABLE:
                # A fresh channel forgets gRPC's own growing pauses: ours decide when to try again.
                self.close()
            return Sent(outcome="later", wait=_retry_delay(call.trailing_metadata()), why=code.name)

    def _connect(self) -> grpc.Channel:
        with IMPORTING:
            import grpc

        if self._tls:
            self._channel = grpc.secure_channel(self._target, grpc.ssl_channel_credentials())
        else:
            self._channel = grpc.insecure_channel(self._target)
        return self._channel

    def close(self) -> None:
        """See `Sender.close`."""
        if self._channel is not None:
            self._channel.close()
        self._channel = None

    def forget(self) -> None:
        """See `Sender.forget`. Closing would wait for threads that the child does not have."""
        _inherited.append(self._channel)
        self._channel = None


_inherited: list[object] = []
"""Channels of a parent process, kept so that no finaliser touches them in the child."""


def _accepted(answer: bytes) -> Sent:
    """Sent, less the spans that the receiver says it rejected."""
    if not answer:
        return Sent(outcome="sent")
    with IMPORTING:
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    try:
        partial = ExportTraceServiceResponse.FromString(answer).partial_success
    except DecodeError:
        return Sent(outcome="sent")
    return Sent(outcome="sent", rejected=max(0, partial.rejected_spans), why=partial.error_message[:200])


def _retry_delay(metadata: Iterable[tuple[str, str | bytes]] | None) -> float:
    with IMPORTING:
        from google.protobuf.message import DecodeError
        from google.rpc.error_details_pb2 import RetryInfo

    for key, value in metadata or ():
        if key == "google.rpc.retryinfo-bin" and isinstance(value, bytes):
            with contextlib.suppress(DecodeError):
                delay = RetryInfo.FromString(value).retry_delay
                return float(delay.seconds + delay.nanos / 1e9)
    return 0.0


def _seconds(retry_after: str | None) -> float:
    """Only the number form: a date needs a clock that agrees with the receiver's."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else 0.0


def _name(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]
