"""Clients that send what was made before, over several connections at once, and come again when they are refused."""

from __future__ import annotations

import http.client
import threading
import time
from typing import TYPE_CHECKING, Final

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ingestbench.load import Batch

_METHOD: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_TYPE: Final = {"Content-Type": "application/x-protobuf"}
_PAUSE: Final = 0.05
_AGAIN: Final = {429, 503}
_PATIENCE: Final = 120.0


def _refused_for_good(what: object) -> RuntimeError:
    return RuntimeError(f"a batch was refused for good: {what}")


class OverHttp:
    """One connection. `send` says whether it was acknowledged; if not, it is to be sent again."""

    def __init__(self, address: Callable[[], str], path: str = "/v1/traces") -> None:
        """`address`: asked again after a connection broke."""
        self._address = address
        self._path = path
        self._connection: http.client.HTTPConnection | None = None

    def send(self, body: bytes) -> bool:
        """Once. Raises RuntimeError where it would never be taken."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._address(), timeout=30)
            self._connection.request("POST", self._path, body, _TYPE)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return False
        if answer.status in _AGAIN:
            return False
        if answer.status != 200:  # noqa: PLR2004 -- HTTP's number
            raise _refused_for_good(answer.status)
        return True

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class OverGrpc:
    """One channel, as `OverHttp`."""

    def __init__(self, address: Callable[[], str]) -> None:
        """`address`: asked once."""
        self._channel = grpc.insecure_channel(address(), options=[("grpc.use_local_subchannel_pool", 1)])
        self._export: Callable[..., bytes] = self._channel.unary_unary(_METHOD)

    def send(self, body: bytes) -> bool:
        """Once. Raises RuntimeError where it would never be taken."""
        try:
            self._export(body, timeout=30)
        except grpc.RpcError as error:
            if error.code() in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE}:
                return False
            raise _refused_for_good(error.code()) from None
        return True

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


class _Sending:
    """What the connections of one `send_all` share."""

    def __init__(self, batches: Iterable[Batch], rate: float) -> None:
        self._batches = iter(batches)
        self._rate = rate
        self._lock = threading.Lock()
        self._begun = time.monotonic()
        self.spans = 0
        self.refused = 0
        self.failures: list[Exception] = []

    def work(self, client: OverHttp | OverGrpc) -> None:
        """One connection's part."""
        try:
            while not self.failures and (batch := self._next()) is not None:
                self._send(client, batch)
        except Exception as error:
            self.failures.append(error)
        finally:
            client.close()

    def _next(self) -> Batch | None:
        with self._lock:
            batch = next(self._batches, None)
            due = self._begun + self.spans / self._rate if self._rate else 0.0
            self.spans += batch.spans if batch is not None else 0
        if batch is not None and (pause := due - time.monotonic()) > 0:
            time.sleep(pause)
        return batch

    def _send(self, client: OverHttp | OverGrpc, batch: Batch) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not client.send(batch.body):
            if time.monotonic() > deadline:
                raise _refused_for_good("nobody answers")
            with self._lock:
                self.refused += 1
            time.sleep(_PAUSE)


def send_all(
    batches: Iterable[Batch], connect: Callable[[], OverHttp | OverGrpc], *, connections: int, rate: float = 0.0
) -> tuple[int, int]:
    """Send each until it is acknowledged; spans, and how often one was refused. `rate`: spans a second; 0: no limit."""
    sending = _Sending(batches, rate)
    threads = [threading.Thread(target=sending.work, args=(connect(),)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if sending.failures:
        raise sending.failures[0]
    return sending.spans, sending.refused
