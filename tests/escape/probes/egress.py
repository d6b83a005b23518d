"""The one way out that a box has, the egress proxy's socket, as a way to where it must not lead."""

from __future__ import annotations

import os
import socket

from .tries import Tries, open_to_write, read

_PROXY = "/agentcop/egress/proxy.sock"
_SECONDS = 4.0
_METADATA = (
    "169.254.169.254",
    "[fd00:ec2::254]",
    "169.254.169.254.",
    "0xa9fea9fe",
    "2852039166",
    "[::ffff:169.254.169.254]",
)
_HOME = (
    "127.0.0.1",
    "localhost",
    "LOCALHOST.",
    "127.1",
    "0",
    "0.0.0.0",  # noqa: S104 -- nothing is bound, it is asked for
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "127.0.0.1%00.example.com",
    "127.0.0.1#@example.com",
    "example.com@127.0.0.1",
    "ip6-localhost",
    "①②⑦.0.0.1",
)


def _say(data: bytes) -> bytes:
    """What the proxy answers to these bytes. Raises OSError where there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_SECONDS)
        client.connect(_PROXY)
        client.sendall(data)
        answer = b""
        try:
            while len(answer) < 4096 and (piece := client.recv(4096)):
                answer += piece
        except TimeoutError:
            pass  # what came until then is the answer
        return answer


def _ask(tries: Tries, what: str, request: bytes) -> None:
    """A request that must be refused; an answer that begins with 2 is a way out."""
    try:
        answer = _say(request)
    except OSError as error:
        tries.refuse(what, error)
        return
    line = answer.split(b"\r\n", 1)[0].decode("utf-8", "replace")
    if line.split(" ")[1:2] and line.split(" ")[1].startswith("2"):
        tries.achieve(f"{what}: {line}")
    else:
        tries.refuse(what, line or "closed without an answer")
    tries.see(what, answer)


def _connect(host: str, port: int) -> bytes:
    place = f"{host}:{port}"
    return f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode("utf-8", "surrogateescape")


def to_the_host(tries: Tries, listeners: list[list[object]], host_name: str) -> None:
    """CONNECT to a server on the host's loopback, in every spelling of its address, and on the host's own addresses."""
    for address, port in listeners:
        name = f"[{address}]" if ":" in str(address) else str(address)
        _ask(tries, f"CONNECT {name}", _connect(name, int(str(port))))
    port = int(str(listeners[0][1]))
    for name in (*_HOME, host_name):
        _ask(tries, f"CONNECT {name}", _connect(name, port))


def to_the_metadata_service(tries: Tries) -> None:
    """CONNECT and GET to the cloud's metadata service, in every spelling of its address."""
    for name in _METADATA:
        _ask(tries, f"CONNECT {name}", _connect(name, 80))
        _ask(tries, f"GET http://{name}", f"GET http://{name}/latest/ HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())


def to_private_networks(tries: Tries, neighbours: list[str]) -> None:
    """CONNECT to private, shared, multicast and reserved addresses."""
    for name in (
        *neighbours,
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "[fe80::1]",
    ):
        _ask(tries, f"CONNECT {name}", _connect(name, 80))


def plain_requests(tries: Tries, listeners: list[list[object]]) -> None:
    """A plain request for a server on the host, also under another name's Host header."""
    port = listeners[0][1]
    for target, host in (
        (f"http://127.0.0.1:{port}/", f"127.0.0.1:{port}"),
        (f"http://127.0.0.1:{port}/", "example.com"),
        (f"http://example.com@127.0.0.1:{port}/", "example.com"),
        ("/", f"127.0.0.1:{port}"),
        (f"//127.0.0.1:{port}/", "example.com"),
        (f"https://127.0.0.1:{port}/", "example.com"),
        ("file:///etc/passwd", "example.com"),
    ):
        _ask(tries, f"GET {target} ({host})", f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())


def smuggled(tries: Tries, listeners: list[list[object]]) -> None:
    """A second request in the first: by two lengths, by a bare line feed, behind a CONNECT, in a header's name."""
    home = f"127.0.0.1:{listeners[0][1]}"
    inner = f"GET http://{home}/ HTTP/1.1\r\nHost: {home}\r\n\r\n"
    for what, request in (
        (
            "two lengths",
            (
                "POST http://example.com/ HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\n"
                f"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
            ),
        ),
        ("pipelined", f"GET http://example.invalid/ HTTP/1.1\r\nHost: example.invalid\r\n\r\n{inner}"),
        ("behind CONNECT", f"CONNECT example.invalid:443 HTTP/1.1\r\n\r\n{inner}"),
        ("two targets", f"CONNECT example.invalid:443 HTTP/1.1\r\nHost: {home}\r\n\r\n"),
        ("bare line feed", f"CONNECT example.invalid:443 HTTP/1.1\nHost: x\n\nCONNECT {home} HTTP/1.1\n\n"),
        ("line end in target", f"CONNECT example.invalid:443\rCONNECT {home} HTTP/1.1\r\n\r\n"),
        ("space in target", f"CONNECT example.invalid:443 {home} HTTP/1.1\r\n\r\n"),
        ("folded header", f"CONNECT example.invalid:443 HTTP/1.1\r\nX: y\r\n Host: {home}\r\n\r\n"),
        ("nul", f"CONNECT {home}\0.example.com:443 HTTP/1.1\r\n\r\n"),
        ("port twice", f"CONNECT {home}:443 HTTP/1.1\r\n\r\n"),
        ("HTTP/0.9", f"CONNECT {home}\r\n\r\n"),
    ):
        _ask(tries, what, request.encode())


def proxy_overwhelmed(tries: Tries) -> None:
    """A request without an end, a head of 4 MiB, and 300 connections that say nothing."""
    for what, data in (
        ("long line", b"CONNECT " + b"a" * (4 << 20)),
        ("many headers", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * (1 << 19)),
    ):
        try:
            tries.refuse(what, _say(data)[:60])
        except OSError as error:
            tries.refuse(what, error)
    held = []
    try:
        for _ in range(300):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            client.settimeout(_SECONDS)
            client.connect(_PROXY)
            held.append(client)
    except OSError as error:
        tries.refuse(f"connection {len(held)}", error)
    for client in held:
        client.close()
    tries.refuse("connections", f"{len(held)} at once; what the host holds is looked at there")


def folder_of_the_proxy(tries: Tries) -> None:
    """The folder of the proxy's socket written to, its socket replaced, or a private key read in it."""
    folder = os.path.dirname(_PROXY)
    for name in _listed(tries, folder):
        path = os.path.join(folder, name)
        if name not in {"proxy.sock", "ca.pem"}:
            tries.achieve(f"{path} is there too")
        if name == "proxy.sock":
            continue
        text = read(path, 1 << 20)
        if b"PRIVATE KEY" in text:
            tries.achieve(f"{path} holds a private key")
        tries.attempt(f"write {path}", open_to_write, path)
    tries.attempt("new file", os.open, f"{folder}/agentcop-escape", os.O_CREAT | os.O_WRONLY)
    tries.attempt("remove the socket", os.unlink, _PROXY)
    tries.attempt("rename the socket", os.rename, _PROXY, f"{folder}/other.sock")
    tries.attempt("chmod the socket", os.chmod, _PROXY, 0o600)
    tries.attempt("listen in its place", _listened, f"{folder}/agentcop-escape.sock")


def _listed(tries: Tries, folder: str) -> list[str]:
    """What lies there; where that is not told, what must."""
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        tries.refuse(f"list {folder}", error)
        return ["ca.pem", "proxy.sock"]


def _listened(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(path)
