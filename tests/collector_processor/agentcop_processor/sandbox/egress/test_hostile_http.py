"""A request that two readers could read in two ways goes nowhere, and one connection is one request."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest

from outside_world import PUBLIC, box

if TYPE_CHECKING:
    from outside_world import World

_GET = "GET http://open.example.com/one HTTP/1.1\r\nHost: open.example.com\r\n"
_POST = "POST http://open.example.com/one HTTP/1.1\r\nHost: open.example.com\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        _POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET",
        _POST + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        _POST + "Content-Length: 5, 6\r\n\r\nhello",
        _POST + "Content-Length: +5\r\n\r\nhello",
        _POST + "Content-Length: 5_0\r\n\r\nhello",
        _POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        _POST + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        _POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        _POST + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        _POST.replace("1.1", "1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        _GET + "X: a\x00b\r\n\r\n",
        _GET + "X: a\rY: b\r\n\r\n",
        _GET + "Bad Name: a\r\n\r\n",
        _GET + "X: " + "a" * 48_000 + "\r\n\r\n",
        "GET /one HTTP/1.1\r\nHost: open.example.com\r\n\r\n",
        "GET https://open.example.com/one HTTP/1.1\r\nHost: open.example.com\r\n\r\n",
        "GET http://open.example.com/o ne HTTP/1.1\r\nHost: open.example.com\r\n\r\n",
        "GET http://open.example.com/one#two HTTP/1.1\r\nHost: open.example.com\r\n\r\n",
        "GET ftp://open.example.com/one HTTP/1.1\r\nHost: open.example.com\r\n\r\n",
        "CONNECT open.example.com:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "hello\r\n\r\n",
        "GET http://open.example.com/one HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ],
)
def test_what_is_no_plain_request_is_answered_and_goes_nowhere(world: World, sent: str) -> None:
    with box(world) as tool:
        answer = tool.raw(sent.encode("latin-1"))
        assert answer.startswith(b"HTTP/1.1 400 "), answer
        assert tool.egress.refused == 1
    assert (world.dialled, world.http.requests) == ([], [])


@pytest.mark.parametrize("port", ["", "0", "65536", "99999", "-1", "44 3", "443x", "٤٤٣"])
def test_a_port_that_is_none_is_refused(world: World, port: str) -> None:
    with box(world) as tool:
        answer = tool.raw(f"CONNECT open.example.com:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer[:12] in (b"HTTP/1.1 403", b"HTTP/1.1 400")
    assert world.dialled == []


def test_a_second_request_on_a_connection_is_never_sent_on(world: World) -> None:
    with box(world) as tool:
        answer = tool.raw((_GET + "\r\n" + _GET.replace("/one", "/two") + "\r\n").encode())
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in answer.lower()
    assert [path for _, path, _, _ in world.http.requests] == ["/one"]


def test_what_is_between_tool_and_proxy_stays_there_and_the_host_is_the_place(world: World) -> None:
    with box(world) as tool:
        tool.raw(
            b"GET http://open.example.com/one HTTP/1.1\r\nHost: other.example.com\r\n"
            b"Proxy-Authorization: Basic eA==\r\n"
            b"Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nX-Folded: a\r\n b\r\nUpgrade: websocket\r\nTE: trailers\r\n"
            b"Proxy-Connection: keep-alive\r\nX-Kept: 1\r\n\r\n"
        )
    (_, _, headers, _) = world.http.requests[0]
    assert [(name.lower(), value) for name, value in headers] == [
        ("host", "open.example.com"),
        ("connection", "close"),
        ("x-folded", "a b"),
        ("x-kept", "1"),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 48_000 + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    ],
)
def test_a_place_that_gives_no_answer_is_told_apart_from_a_refusal(world: World, answer: bytes) -> None:
    listener = world.listen(8080)
    world.names["odd.example.com"] = [[PUBLIC]]
    with box(world) as tool:

        def play() -> None:
            far, _ = listener.accept()
            with far:
                far.recv(65_536)
                far.sendall(answer)

        player = Thread(target=play)
        player.start()
        got = tool.raw(b"GET http://odd.example.com:8080/ HTTP/1.1\r\nHost: x\r\n\r\n")
        player.join()
        assert got.startswith(b"HTTP/1.1 502 ")
        assert (tool.egress.allowed, tool.egress.refused, tool.egress.failed) == (1, 0, 1)


def test_an_answer_that_ends_too_early_is_seen_to_be_cut(world: World) -> None:
    listener = world.listen(8080)
    world.names["odd.example.com"] = [[PUBLIC]]
    with box(world) as tool:

        def play() -> None:
            far, _ = listener.accept()
            with far:
                far.recv(65_536)
                far.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")

        player = Thread(target=play)
        player.start()
        got = tool.raw(b"GET http://odd.example.com:8080/ HTTP/1.1\r\nHost: x\r\n\r\n")
        player.join()
    assert b"hello" in got
    assert not got.endswith(b"0\r\n\r\n")
