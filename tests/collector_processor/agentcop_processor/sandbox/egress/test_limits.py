"""However a tool uses its way out, the agent's process keeps its descriptors, its memory and its time."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from agentcop_processor.sandbox.egress import proxy
from agentcop_processor.sandbox.egress.heard import Hearing
from agentcop_processor.sandbox.egress.outside import Outside
from agentcop_processor.sandbox.egress.rules import rules_of
from agentcop_processor.sandbox.egress.tally import Tally
from agentcop_processor.sandbox.egress.traffic.carrying import Limits
from agentcop_processor.sandbox.settings import Settings
from outside_world import PUBLIC, box, received

if TYPE_CHECKING:
    from collections.abc import Callable

    from outside_world import World

_CONNECT = b"CONNECT slow.example.com:9000 HTTP/1.1\r\nHost: x\r\n\r\n"


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def test_a_head_that_comes_byte_by_byte_is_not_waited_for(world: World) -> None:
    with (
        box(world, limits=Limits(head=0.5)) as tool,
        socket.create_connection(("127.0.0.1", tool.port), timeout=60) as made,
    ):
        with contextlib.suppress(ConnectionError):
            for byte in b"GET http://open.example.com/ HTTP/1.1\r\nX: " + b"a" * 200:
                made.sendall(bytes([byte]))
                time.sleep(0.02)
        assert received(made).startswith(b"HTTP/1.1 400 the request's head did not come in time")


def test_a_connection_without_a_byte_is_ended(world: World) -> None:
    listener = world.listen(9000)
    world.names["slow.example.com"] = [[PUBLIC]]
    with box(world, limits=Limits(idle=0.5)) as tool:
        with socket.create_connection(("127.0.0.1", tool.port), timeout=60) as made:
            made.sendall(_CONNECT)
            far, _ = listener.accept()
            with far:
                assert received(made).startswith(b"HTTP/1.1 200 ")
                assert received(far) == b""
        assert tool.egress.failed == 1


def test_a_connection_that_carries_too_much_is_ended_and_told_of(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.http.replies["/big"] = (200, {}, b"x" * 1_000_000)
    with box(world, limits=Limits(carried=100_000)) as tool:
        got = tool.raw(b"GET http://open.example.com/big HTTP/1.1\r\nHost: x\r\n\r\n")
    assert len(got) < 200_000
    assert "cut after 100,000 bytes" in caplog.text


def test_a_reader_that_stops_fills_no_memory(world: World) -> None:
    listener = world.listen(9000)
    world.names["slow.example.com"] = [[PUBLIC]]
    with (
        box(world, limits=Limits(idle=5)) as tool,
        socket.create_connection(("127.0.0.1", tool.port), timeout=60) as made,
    ):
        made.sendall(_CONNECT)
        far, _ = listener.accept()
        with far:
            far.settimeout(1)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            sent = 0
            with contextlib.suppress(TimeoutError):
                while sent < 1_000_000_000:
                    sent += far.send(b"x" * 1_000_000)
            assert sent < 64_000_000  # what the kernel and a few buffers hold
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32_768  # KiB


def test_a_thousand_connections_take_no_more_descriptors_than_the_limit(world: World) -> None:
    with box(world, limits=Limits(connections=8, head=2)) as tool, contextlib.ExitStack() as all_of_them:
        before = _descriptors()
        opened = 0
        for _ in range(1_000):
            made = socket.socket(socket.AF_UNIX)
            made.settimeout(0)
            try:
                made.connect(tool.socket)
            except OSError:
                made.close()
                continue
            all_of_them.enter_context(made)
            opened += 1
        assert opened < 1_000  # the others were turned away by the kernel
        assert _descriptors() - before - opened <= 8 + 4
        all_of_them.close()
        _wait(lambda: _answers(tool.proxies))  # as soon as those that wait in the kernel are gone


def _answers(proxies: dict[str, str]) -> bool:
    try:
        return requests.get("http://open.example.com/", proxies=proxies, timeout=60).text == "this is /"
    except requests.exceptions.ConnectionError:
        return False


def test_a_thousand_requests_one_after_the_other_leave_nothing_open(world: World) -> None:
    with box(world) as tool:
        requests.get("http://open.example.com/", proxies=tool.proxies, timeout=60)
        before = _descriptors()
        for number in range(1_000):
            with socket.create_connection(("127.0.0.1", tool.port), timeout=60) as made:
                if number % 3 == 0:
                    made.sendall(b"GET http://open.example.com/ HT")
                elif number % 3 == 1:
                    made.sendall(b"GET http://10.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n")
        _wait(lambda: _descriptors() <= before)
        assert requests.get("http://open.example.com/", proxies=tool.proxies, timeout=60).text == "this is /"


def test_a_name_that_takes_too_long_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from agentcop_processor.sandbox.egress import outside

    monkeypatch.setattr(outside, "_LOOKUP", 1.0)
    over = False

    def stuck(_host: str) -> list[str]:
        while not over:
            time.sleep(0.05)
        return [PUBLIC]

    known, world.lookup = world.lookup, lambda host: stuck(host) if host == "stuck.example.com" else known(host)  # type: ignore[method-assign]  # the resolver of this test
    try:
        with box(world) as tool, socket.create_connection(("127.0.0.1", tool.port), timeout=60) as made:
            made.sendall(b"CONNECT stuck.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert requests.get("http://open.example.com/", proxies=tool.proxies, timeout=60).status_code == 200
            assert received(made).startswith(b"HTTP/1.1 502 the place could not be reached: its name was not resolved")
    finally:
        over = True


@pytest.mark.parametrize(
    "request_", [_CONNECT, b"GET http://slow.example.com:9000/ HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["tunnel", "plain"]
)
def test_a_tool_that_was_killed_holds_no_connection_of_the_next(world: World, request_: bytes) -> None:
    listener = world.listen(9000)
    world.names["slow.example.com"] = [[PUBLIC]]
    with box(world, limits=Limits(idle=600)) as tool:
        with socket.socket(socket.AF_UNIX) as made:
            made.connect(tool.socket)
            made.sendall(request_)
            far, _ = listener.accept()
        with far:
            far.settimeout(30)
            received(far)  # ends, though nothing was answered and no time is up
            assert far.recv(1) == b""
            far.settimeout(0)


def test_a_door_that_is_shut_while_it_takes_a_connection_keeps_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(_: socket.socket) -> None:
        """As where who has connected is gone again."""

    async def scene() -> bool:
        made = proxy.Proxy(rules_of(Settings()), Outside(), Limits(connections=1), Tally())
        with socket.socket(socket.AF_UNIX) as listener:
            listener.setblocking(False)
            listener.bind(str(tmp_path / "x.sock"))
            listener.listen()
            accepting = asyncio.ensure_future(made.accept(listener, Hearing()))
            while not made._free.locked():  # noqa: ASYNC110, SLF001 -- nothing else tells
                await asyncio.sleep(0)
            accepting.cancel()
            await asyncio.gather(accepting, return_exceptions=True)
        return made._free.locked()  # noqa: SLF001 -- as above

    monkeypatch.setattr(proxy, "_readable", at_once)
    assert not asyncio.run(scene())
