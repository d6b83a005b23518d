"""What tools use for HTTP works through relay and proxy, and no name is looked up but by the proxy."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import httpx
import requests

from outside_world import PUBLIC, box, received

if TYPE_CHECKING:
    import pytest

    from outside_world import World

_URLS = ("http://open.example.com/a?b=1", "https://open.example.com/a?b=1")


def test_requests_httpx_and_urllib_reach_a_public_place(world: World) -> None:
    with box(world) as tool:
        for url in _URLS:
            assert (
                requests.get(url, proxies=tool.proxies, verify=str(world.cafile), timeout=30).text == "this is /a?b=1"
            )
            with httpx.Client(proxy=tool.proxy, verify=_trusting(world)) as client:
                assert client.get(url).text == "this is /a?b=1"
            opener = urllib.request.build_opener(
                urllib.request.ProxyHandler(tool.proxies), urllib.request.HTTPSHandler(context=_trusting(world))
            )
            with opener.open(url, timeout=30) as opened:
                assert opened.read() == b"this is /a?b=1"
        assert tool.egress.allowed == 6
        assert dict(tool.egress.hosts) == {"open.example.com:80": 3, "open.example.com:443": 3}
    assert set(world.dialled) == {(PUBLIC, 80), (PUBLIC, 443)}


def test_an_async_client_has_many_requests_under_way_at_once(world: World) -> None:
    async def ask(proxy: str) -> list[str]:
        async with httpx.AsyncClient(proxy=proxy, verify=_trusting(world), timeout=60) as client:
            answers = await asyncio.gather(*(client.get(f"https://open.example.com/{n}") for n in range(40)))
        return [answer.text for answer in answers]

    with box(world) as tool:
        assert asyncio.run(ask(tool.proxy)) == [f"this is /{n}" for n in range(40)]


def test_a_tool_needs_the_environment_alone(world: World) -> None:
    code = "import urllib.request as u; print(u.urlopen('https://open.example.com/env').read().decode())"
    with box(world) as tool:
        environ = {"HTTPS_PROXY": tool.proxy, "SSL_CERT_FILE": str(world.cafile), "PATH": os.environ["PATH"]}
        ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert ran.stdout == "this is /env\n"


def test_bodies_go_both_ways_whole(world: World) -> None:
    big = os.urandom(3_000_000)
    world.http.replies["/big"] = (200, {"X-A": "1"}, big)
    with box(world) as tool:
        answer = requests.post("http://open.example.com/big", data=big, proxies=tool.proxies, timeout=60)
        assert (answer.content, answer.headers["X-A"]) == (big, "1")
        chunks = iter([b"one", b"two"])
        requests.put("http://open.example.com/chunks", data=chunks, proxies=tool.proxies, timeout=30)
        assert requests.head("http://open.example.com/big", proxies=tool.proxies, timeout=30).headers["X-A"] == "1"
        head = b"POST http://open.example.com/wait HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        tool.raw(head + b"Content-Length: 2\r\n\r\nok")
    assert [body for _, _, _, body in world.http.requests] == [big, b"onetwo", b"", b"ok"]


def test_a_tunnel_carries_what_is_no_http_and_ends_half_by_half(world: World) -> None:
    listener = world.listen(2222)
    world.names["ssh.example.com"] = [[PUBLIC]]
    with box(world) as tool, socket.create_connection(("127.0.0.1", tool.port), timeout=30) as made:
        made.sendall(b"CONNECT ssh.example.com:2222 HTTP/1.1\r\nHost: x\r\n\r\nfirst words")
        far, _ = listener.accept()
        with far:
            made.shutdown(socket.SHUT_WR)
            assert received(far) == b"first words"
            far.sendall(b"last words")
        assert received(made) == b"HTTP/1.1 200 Connected\r\n\r\nlast words"


def test_an_international_name_is_looked_up_in_its_ascii_form(world: World) -> None:
    with box(world, network=("münchen.example:443",)) as tool:
        url = "https://xn--mnchen-3ya.example/x"
        assert requests.get(url, proxies=tool.proxies, verify=str(world.cafile), timeout=30).text == "this is /x"
    assert world.lookups == ["xn--mnchen-3ya.example"]


def test_no_client_looks_a_name_up_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def spy(host: object, *rest: object, **named: object) -> list[object]:
        if host != "127.0.0.1":
            asked.append(host)
        return real(host, *rest, **named)  # type: ignore[arg-type,return-value]  # passed on as it came

    real = socket.getaddrinfo
    with box(world) as tool:
        monkeypatch.setattr(socket, "getaddrinfo", spy)
        requests.get("http://open.example.com/", proxies=tool.proxies, timeout=30)
        httpx.get("https://open.example.com/", proxy=tool.proxy, verify=_trusting(world))
        answer = requests.get("http://nowhere.example.com/", proxies=tool.proxies, timeout=30)
    assert answer.status_code == 502
    assert "does not resolve" in answer.text
    assert asked == []
    assert world.lookups == ["open.example.com", "open.example.com", "nowhere.example.com"]


def _trusting(world: World) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(world.cafile))
