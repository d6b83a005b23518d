"""What a tool says to its proxy's port arrives at the proxy's socket, and nothing of it is there for the next call."""

from __future__ import annotations

import secrets
import socket
import socketserver
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.inside import relay
from inside_boxes import INSIDE, PATIENCE, Box
from searching_memory import SEARCH, higher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Echo(socketserver.BaseRequestHandler):
    """Says what it hears, and `bye` when all was said."""

    def handle(self) -> None:
        while data := self.request.recv(65_536):
            self.request.sendall(data)
        self.request.sendall(b"bye")


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder as the egress proxy has one, with somebody at its socket."""
    with _Server(str(tmp_path / "proxy.sock"), _Echo) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield tmp_path
        server.shutdown()


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def _all_of(end: socket.socket) -> bytes:
    data = b""
    while piece := end.recv(65_536):
        data += piece
    return data


def test_both_ways_are_carried_to_their_ends(folder: Path) -> None:
    port = relay.start(str(folder / "proxy.sock"))
    sent = secrets.token_bytes(3_000_000)
    with _connected(port) as end:

        def say() -> None:
            end.sendall(sent)
            end.shutdown(socket.SHUT_WR)

        saying = threading.Thread(target=say)
        saying.start()
        assert _all_of(end) == sent + b"bye"
        saying.join()


def test_connections_do_not_wait_for_each_other(folder: Path) -> None:
    port = relay.start(str(folder / "proxy.sock"))
    ends = [_connected(port) for _ in range(relay.MAX_LINKS)]
    for number, end in reversed(list(enumerate(ends))):
        end.sendall(b"%d" % number)
        assert end.recv(10) == b"%d" % number
    with _connected(port) as late:
        late.sendall(b"late")
        ends[0].close()
        assert late.recv(10) == b"late"
    for end in ends:
        end.close()


def test_what_was_half_closed_makes_room(folder: Path) -> None:
    port = relay.start(str(folder / "proxy.sock"))
    mute = folder / "mute.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(mute))
        listening.listen(200)
        port = relay.start(str(mute))
        ends = [_connected(port) for _ in range(relay.MAX_LINKS)]
        for end in ends:
            end.shutdown(socket.SHUT_WR)
        taken = [listening.accept()[0] for _ in range(relay.MAX_LINKS)]
        with _connected(port) as late:
            late.sendall(b"late")
            taken.append(listening.accept()[0])
            assert taken[-1].recv(10) == b"late"
        for end in ends + taken:
            end.close()


def test_a_connection_without_a_proxy_is_closed(tmp_path: Path) -> None:
    with _connected(relay.start(str(tmp_path / "nobody.sock"))) as end:
        assert end.recv(1) == b""


def test_to_forget_ends_every_connection_at_once(folder: Path) -> None:
    port = relay.start(str(folder / "proxy.sock"))
    with _connected(port) as one, _connected(port) as other:
        one.sendall(b"x")
        assert one.recv(1) == b"x"
        relay.forget()
        for end in (one, other):
            try:
                assert end.recv(1) == b""
            except ConnectionResetError:
                continue
    with _connected(port) as again:
        again.sendall(b"y")
        assert again.recv(1) == b"y"


TOOL = """
    import os, socket
    def tool(text):
        port = int(os.environ['HTTPS_PROXY'].rpartition(':')[2])
        kept = [socket.create_connection(('127.0.0.1', port)) for _ in range(3)]
        for end in kept:
            end.sendall(text.encode())
            heard = b''
            while len(heard) < len(text): heard += end.recv(65536)
        return heard.decode() == text
"""


@pytest.mark.sandbox
def test_a_tool_reaches_the_proxy_call_after_call(folder: Path) -> None:
    with Box(egress=folder) as box:
        assert box.facts["relay"] is True
        assert box.facts["interfaces"] == ["lo"]
        for number in range(30):
            assert box.run(TOOL, str(number)).value is True


@pytest.mark.sandbox
def test_a_tool_is_told_of_its_proxy_by_every_name_that_clients_read(folder: Path) -> None:
    with Box(egress=folder) as box:
        environment = box.run("import os\ndef tool(): return dict(os.environ)").value
    assert isinstance(environment, dict)
    proxies = {environment[name] for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy")}
    assert len(proxies) == 1
    assert proxies.pop().startswith("http://127.0.0.1:")
    assert (environment["NO_PROXY"], environment["no_proxy"]) == ("", "")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
        assert environment[name] == "/agentcop/egress/ca.pem"


@pytest.mark.sandbox
def test_a_call_finds_nothing_of_what_an_earlier_one_sent(folder: Path) -> None:
    marker = secrets.token_hex(12)
    with Box(egress=folder) as box:
        for times in (1, 1000):
            assert box.run(TOOL, marker * times).value is True
            assert box.run(SEARCH, higher(marker)).value == 0


STUCK = """
    import os, socket
    def tool(text):
        end = socket.create_connection(('127.0.0.1', int(os.environ['HTTPS_PROXY'].rpartition(':')[2])))
        end.settimeout(0.5)
        sent = 0
        try:
            while True: sent += end.send(text.encode())
        except TimeoutError:
            return sent
"""


@pytest.mark.sandbox
def test_nor_of_what_a_proxy_that_reads_nothing_has_not_taken_yet(tmp_path: Path) -> None:
    marker = secrets.token_hex(12)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "proxy.sock"))
        mute.listen()
        with Box(egress=tmp_path) as box:
            sent = box.run(STUCK, marker * 1000).value
            assert isinstance(sent, int)
            assert sent > 100_000, "it filled all that lies between"
            assert box.run(SEARCH, higher(marker)).value == 0


@pytest.mark.sandbox
def test_the_relay_survives_what_a_tool_does_to_its_own_process(folder: Path) -> None:
    source = """
        import os, signal
        def tool():
            os.closerange(0, 200)
            for number in range(1, 65):
                try: os.kill(1, number)
                except (OSError, ValueError): pass
            os.kill(os.getpid(), signal.SIGKILL)
    """
    with Box(egress=folder) as box:
        assert box.run(source).status == "crashed"
        assert box.run(TOOL, "still").value is True


def test_it_loads_neither_socket_nor_threading() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from inside import relay\n"
        "print({'socket', 'threading'} & set(sys.modules))"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", program, str(INSIDE.parent)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "set()\n"
