"""A world outside of a box, on loopback: real servers behind public addresses that only a test's proxy knows."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

import trustme

from agentcop_processor.sandbox.egress.outside import Outside
from agentcop_processor.sandbox.egress.way_out import Egress, egress_for
from agentcop_processor.sandbox.inside import relay
from agentcop_processor.sandbox.settings import Secret, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentcop_processor.sandbox.egress.addresses import Address
    from agentcop_processor.sandbox.egress.traffic.carrying import Limits

PUBLIC = "93.184.216.34"
OTHER = "151.101.1.69"
CANARY = "Bearer canary-4f7d2a91c6"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.server.requests.append((self.command, self.path, self.headers.items(), body))
        status, headers, answer = self.server.answer(self)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Transfer-Encoding" not in headers:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.do_GET
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Tests read what was asked from `requests`."""


class Server(http.server.ThreadingHTTPServer):
    """One place: keeps what it was asked, and gives `reply`, by default the path."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str, list[tuple[str, str]], bytes]] = []
        self.replies: dict[str, tuple[int, dict[str, str], bytes]] = {}
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def answer(self, handler: _Handler) -> tuple[int, dict[str, str], bytes]:
        if handler.path == "/echo":
            return 200, {"X-Seen": str(handler.headers.get("Authorization"))}, str(handler.headers).encode()
        return self.replies.get(handler.path, (200, {}, f"this is {handler.path}".encode()))

    def handle_error(self, *_: object) -> None:
        """A client that goes away is what some tests are about."""

    def headers(self, name: str) -> list[str]:
        """Every value of this header in all requests so far."""
        return [value for _, _, headers, _ in self.requests for key, value in headers if key.lower() == name.lower()]


class World:
    """Servers, a resolver that knows their names, and a way to them that only goes by public addresses."""

    def __init__(self, folder: Path, servers: contextlib.ExitStack) -> None:
        self.folder = folder
        self._servers = servers
        self.names: dict[str, list[list[str]]] = {}
        """Name → what each lookup in turn says; the last answer stays."""
        self.lookups: list[str] = []
        self.dialled: list[tuple[str, int]] = []
        self.own: set[str] = set()
        self._ports: dict[int, int] = {}
        self.authority = trustme.CA()
        self.cafile = folder / "world.pem"
        self.authority.cert_pem.write_to_path(str(self.cafile))
        self.http = self.serve(80)
        self.https = self.serve(443, "api.example.com", "open.example.com", "xn--mnchen-3ya.example")
        for name in ("api.example.com", "open.example.com", "xn--mnchen-3ya.example"):
            self.names[name] = [[PUBLIC]]

    def serve(self, port: int, *names: str) -> Server:
        """A server that is reached at `port` of every public address; with TLS for `names`, where there are any."""
        context = None
        if names:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.authority.issue_cert(*names).configure_cert(context)
        server = Server(context)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self._servers.callback(thread.join)
        self._servers.callback(server.server_close)
        self._servers.callback(server.shutdown)
        self._ports[port] = server.server_port
        return server

    def listen(self, port: int) -> socket.socket:
        """A bare listening socket that is reached at `port`."""
        listener = self._servers.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.settimeout(30)
        self._ports[port] = listener.getsockname()[1]
        return listener

    def lookup(self, host: str) -> list[str]:
        self.lookups.append(host)
        answers = self.names.get(host)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def dial(self, address: Address, port: int) -> socket.socket:
        self.dialled.append((str(address), port))
        made = socket.socket()
        try:
            made.settimeout(0)
            await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", self._ports[port]))
        except BaseException:
            made.close()
            raise
        return made

    @property
    def outside(self) -> Outside:
        return Outside(
            lookup=self.lookup, dial=self.dial, is_own=lambda address: str(address) in self.own, cafile=str(self.cafile)
        )


class Box:
    """What a tool in a box has: the relay's port, and the certificates."""

    def __init__(self, egress: Egress, world: World) -> None:
        self.egress = egress
        self.world = world
        self.socket = f"{egress.mount.source}/proxy.sock"
        self.port = relay.start(self.socket)
        self.proxy = f"http://127.0.0.1:{self.port}"
        self.proxies = {"http": self.proxy, "https": self.proxy}
        self.ca = f"{egress.mount.source}/ca.pem"

    def raw(self, sent: bytes) -> bytes:
        """All that comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as made:
            made.sendall(sent)
            made.shutdown(socket.SHUT_WR)
            return received(made)


def received(made: socket.socket) -> bytes:
    """Everything until the end."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while data := made.recv(65_536):
            found += data
    return found


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    with contextlib.ExitStack() as servers:
        yield World(folder, servers)


@contextlib.contextmanager
def box(where: World, *, limits: Limits | None = None, **settings: Any) -> Iterator[Box]:
    """A proxy for these settings, and a relay to it."""
    egress = egress_for(Settings(**settings), where.folder / "state", outside=where.outside, limits=limits)
    assert egress is not None
    try:
        yield Box(egress, where)
    finally:
        egress.close()


def secret(place: str = "api.example.com:443", header: str = "Authorization", value: str = CANARY) -> Secret:
    return Secret(place=place, header=header, value=value)
