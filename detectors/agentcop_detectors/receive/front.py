"""Both listeners of the front in one process: OTLP/HTTP by uvicorn, OTLP/gRPC by grpcio."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import TYPE_CHECKING, Final

import grpc
import uvicorn

from agentcop_detectors.receive.address import CannotListen
from agentcop_detectors.receive.grpc_server import grpc_server
from agentcop_detectors.receive.http import OtlpHttp

if TYPE_CHECKING:
    from agentcop_detectors.receive.address import Address, Tls
    from agentcop_detectors.receive.http import App
    from agentcop_detectors.receive.intake import Intake

_log = logging.getLogger("agentcop")

DRAIN_SECONDS: Final = 5.0
_BACKLOG: Final = 1_024
_CONNECTIONS: Final = 10_000
_KEEP_ALIVE: Final = 75


class Front:
    """Listens until it is stopped. One use."""

    def __init__(
        self, intake: Intake, rest: App, *, http: Address | None, grpc_at: Address | None, tls: Tls | None = None
    ) -> None:
        """`rest`: what else is served over HTTP. Opens nothing. Raises CannotListen.

        Without tokens it listens on loopback alone: whoever can reach the port could poison what is learned.
        """
        for address in (http, grpc_at):
            if address is not None and not address.loopback and not intake.tokens.required:
                raise CannotListen(f"{address}: without --tokens only loopback addresses are listened on")
        self._intake = intake
        self._tls = tls
        self._http_at, self._grpc_at = http, grpc_at
        self._grpc: grpc.Server | None = None
        self._http: uvicorn.Server | None = None
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._app = OtlpHttp(intake, rest)
        self.http_port = self.grpc_port = 0

    def start(self) -> None:
        """Bind both ports and serve them from threads. Raises CannotListen."""
        if self._grpc_at is not None:
            self._start_grpc(self._grpc_at)
        if self._http_at is not None:
            self._start_http(self._http_at)

    def stop(self, seconds: float = DRAIN_SECONDS) -> None:
        """Refuse what is new, answer what is there, then close. Blocks for at most about `seconds`."""
        self._intake.draining = True
        stopped = self._grpc.stop(seconds) if self._grpc is not None else None
        if self._http is not None and self._thread is not None:
            self._http.should_exit = True
            self._thread.join(seconds + 1)
        if stopped is not None:
            stopped.wait(seconds + 1)
        if self._socket is not None:
            self._socket.close()

    def _start_grpc(self, address: Address) -> None:
        self._grpc = grpc_server(self._intake)
        try:
            if self._tls is None:
                self.grpc_port = self._grpc.add_insecure_port(str(address))
            else:
                self.grpc_port = self._grpc.add_secure_port(str(address), _credentials(self._tls))
        except RuntimeError:
            raise CannotListen(f"{address}: cannot be listened on (gRPC); is another service there?") from None
        self._grpc.start()

    def _start_http(self, address: Address) -> None:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((address.host, address.port))
            self._socket.listen(_BACKLOG)  # from here on nobody is turned away
        except OSError as error:
            self._socket.close()
            raise CannotListen(f"{address}: cannot be listened on (HTTP): {error.strerror}") from None
        self.http_port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            http="httptools",
            loop="uvloop",
            lifespan="off",
            interface="asgi3",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            backlog=_BACKLOG,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=int(DRAIN_SECONDS),
            ssl_certfile=self._tls.certificate if self._tls else None,
            ssl_keyfile=self._tls.key if self._tls else None,
            ssl_ca_certs=str(self._tls.clients) if self._tls and self._tls.clients else None,
            ssl_cert_reqs=2 if self._tls and self._tls.clients else 0,  # ssl.CERT_REQUIRED, ssl.CERT_NONE
        )
        config.load()
        self._http = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="agentcop-http", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        server, listening = self._http, self._socket
        if server is None or listening is None:
            return
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve([listening]))


def _credentials(tls: Tls) -> grpc.ServerCredentials:
    pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
    if tls.clients is None:
        return grpc.ssl_server_credentials([pair])
    return grpc.ssl_server_credentials([pair], root_certificates=tls.clients.read_bytes(), require_client_auth=True)
