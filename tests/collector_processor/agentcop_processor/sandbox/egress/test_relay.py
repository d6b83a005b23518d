"""The relay carries bytes both ways whole, and no tool can stop it, fill it or wait it out."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.inside import relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[socket.socket]:
    """What stands for the proxy: a listening socket."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "proxy.sock"))
        listener.listen(128)
        listener.settimeout(30)
        yield listener


def _relay(proxy: socket.socket) -> int:
    return relay.start(proxy.getsockname())


def _client(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def _all(made: socket.socket) -> bytes:
    found = b""
    with contextlib.suppress(ConnectionError):
        while data := made.recv(65_536):
            found += data
    return found


def _echo(proxy: socket.socket, connections: int) -> None:
    def answer(made: socket.socket) -> None:
        with made:
            made.settimeout(30)
            with contextlib.suppress(OSError):
                while data := made.recv(65_536):
                    made.sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):  # the test has ended, and not all of them came
            for _ in range(connections):
                threading.Thread(target=answer, args=(proxy.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_megabytes_come_back_as_they_went(proxy: socket.socket) -> None:
    _echo(proxy, 1)
    sent = os.urandom(5_000_000)
    with _client(_relay(proxy)) as made:

        def send() -> None:
            made.sendall(sent)
            made.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        assert _all(made) == sent
        sender.join()


def test_it_listens_on_loopback_alone(proxy: socket.socket) -> None:
    port = _relay(proxy)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port), timeout=30):
        pass


def test_an_answer_arrives_from_a_proxy_that_did_not_hear_the_tool_out(proxy: socket.socket) -> None:
    with _client(_relay(proxy)) as made:
        outer, _ = proxy.accept()
        made.sendall(b"x" * 10)
        outer.recv(1)
        outer.sendall(b"403")
        outer.close()  # on bytes it did not read: the socket breaks off
        with contextlib.suppress(ConnectionError):
            for _ in range(50):
                made.sendall(b"x" * 100_000)
        assert _all(made) == b"403"


def test_connections_that_are_dropped_leave_nothing_behind(proxy: socket.socket) -> None:
    _echo(proxy, 301)
    port = _relay(proxy)
    before = _descriptors()
    for number in range(300):
        made = _client(port)
        if number % 2:
            made.sendall(b"x" * 1_000)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # ends in a reset
        made.close()
    _wait(lambda: _descriptors() <= before + 4)
    with _client(port) as made:
        made.sendall(b"still here")
        assert made.recv(100) == b"still here"


def test_a_tool_that_opens_a_thousand_uses_up_neither_threads_nor_descriptors(proxy: socket.socket) -> None:
    port = _relay(proxy)
    threads, before = set(threading.enumerate()), _descriptors()
    with contextlib.ExitStack() as opened:
        count = 0
        for _ in range(1_000):
            made = socket.socket()
            made.settimeout(0)
            with contextlib.suppress(OSError):
                made.connect(("127.0.0.1", port))
            opened.enter_context(made)
            count += 1
        time.sleep(0.5)
        assert set(threading.enumerate()) <= threads  # those of other tests may end meanwhile
        assert _descriptors() - before - count <= 2 * 64
    held = [proxy.accept()[0] for _ in range(64)]
    for each in held:
        each.close()
    with _client(port) as made:
        made.sendall(b"hello")
        while True:  # what the thousand left comes first
            with proxy.accept()[0] as outer:
                if outer.recv(5) == b"hello":
                    break


def test_connections_of_a_tool_that_was_killed_make_room_for_those_of_the_next(proxy: socket.socket) -> None:
    port = _relay(proxy)
    outer = []
    for _ in range(64):
        _client(port).close()
        outer.append(proxy.accept()[0])  # and never answers
    with _client(port) as made:
        made.sendall(b"next")
        last, _ = proxy.accept()
        assert last.recv(4) == b"next"
        last.close()
    for each in outer:
        each.close()


def test_without_a_proxy_a_connection_ends_and_the_relay_does_not(proxy: socket.socket, tmp_path: Path) -> None:
    port = _relay(proxy)
    (tmp_path / "proxy.sock").rename(tmp_path / "elsewhere")
    with _client(port) as made:
        assert _all(made) == b""
    (tmp_path / "elsewhere").rename(tmp_path / "proxy.sock")
    _echo(proxy, 1)
    with _client(port) as made:
        made.sendall(b"back")
        assert made.recv(10) == b"back"
