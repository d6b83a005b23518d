"""Each box has a door of its own: what is asked for by one is told of no other, and goes when its box goes."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from agentcop_processor.sandbox.egress.door import Door
from agentcop_processor.sandbox.egress.heard import Asked, Heard, Hearing
from agentcop_processor.sandbox.egress.traffic.carrying import Limits
from exporting import until
from outside_world import box, received

if TYPE_CHECKING:
    from outside_world import World

KEY = "ghp_" + "a1B2c3D4e5F6" * 3
PRIVATE = "it leads to a private address; sandbox.network reaches public ones only"


def connected(door: Door) -> socket.socket:
    """A connection by a short name: in a box its path is short."""
    folder = os.open(door.mount.source, os.O_RDONLY | os.O_DIRECTORY)
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(30)
    made.connect(f"/proc/self/fd/{folder}/proxy.sock")
    os.close(folder)
    return made


def ask(door: Door, url: str) -> int:
    host = url.split("/")[2]
    with connected(door) as made:
        made.sendall(f"GET {url} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return int(received(made).split()[1])


def test_what_is_asked_for_by_one_door_is_heard_at_no_other(world: World) -> None:
    with box(world) as tool:
        one, other = tool.egress.door(), tool.egress.door()
        assert [ask(one, "http://10.0.0.1/"), ask(other, "http://open.example.com/")] == [403, 200]
        assert one.hearing.taken() == Heard(refused=(Asked(place="10.0.0.1:80", why=PRIVATE, times=1),))
        assert other.hearing.taken() == Heard(reached=(Asked(place="open.example.com:80", why="", times=1),))
        assert one.hearing.taken() == Heard(), "what was taken is not told again"
        assert (tool.egress.allowed, tool.egress.refused) == (1, 1)


def test_a_door_is_as_closed_to_other_users_as_the_first_one(world: World) -> None:
    with box(world) as tool:
        seen = Path(tool.egress.door().mount.source)
        modes = [
            stat.S_IMODE(each.stat().st_mode) for each in (seen.parent, seen, seen / "proxy.sock", seen / "ca.pem")
        ]
        assert modes == [0o700, 0o711, 0o666, 0o644]


def test_a_door_that_is_shut_takes_its_folder_with_it_and_no_other(world: World) -> None:
    with box(world) as tool:
        one, other = tool.egress.door(), tool.egress.door()
        tool.egress.shut(one)
        tool.egress.shut(one)
        until(lambda: one.listener.fileno() == -1)
        assert not Path(one.mount.source).exists()
        assert ask(other, "http://open.example.com/") == 200


def test_the_end_shuts_every_door_and_gives_no_more(world: World) -> None:
    with box(world) as tool:
        doors = [tool.egress.door() for _ in range(3)]
    assert [door.listener.fileno() for door in doors] == [-1, -1, -1]
    assert not any(Path(door.mount.source).exists() for door in doors)
    tool.egress.shut(doors[0])
    with pytest.raises(OSError, match="closed"):
        tool.egress.door()


def test_doors_at_which_nobody_asks_take_no_connection_from_those_where_somebody_does(world: World) -> None:
    with box(world, limits=Limits(connections=2)) as tool:
        doors = [tool.egress.door() for _ in range(5)]
        assert [ask(door, "http://open.example.com/") for door in doors] == [200] * 5


def test_one_door_cannot_hold_more_connections_than_there_are_for_all(world: World) -> None:
    with box(world, limits=Limits(connections=1)) as tool:
        one, other = tool.egress.door(), tool.egress.door()
        with connected(one) as held:
            held.sendall(b"GET http://open.example.com/ HTTP/1.1\r\n")
            until(lambda: len(tool.egress._proxy._tasks) == 1)  # noqa: SLF001 -- no outlet shows a request's half
            with connected(other) as waits:
                waits.settimeout(0.5)
                waits.sendall(b"GET http://open.example.com/ HTTP/1.1\r\nHost: open.example.com\r\n\r\n")
                with pytest.raises(TimeoutError):
                    waits.recv(1)
                held.close()
                waits.settimeout(30)
                assert waits.recv(12) == b"HTTP/1.1 200"


def test_what_a_tool_asks_for_is_kept_within_bounds_and_the_rest_is_counted() -> None:
    hearing = Hearing()
    for number in range(1_000):
        hearing.note(f"{number}.example.com:443", "no")
        hearing.note("open.example.com:443", "")
    heard = hearing.taken()
    assert (len(heard.refused), heard.unlisted) == (16, 984)
    assert heard.reached == (Asked(place="open.example.com:443", why="", times=1_000),)


def test_what_a_tool_asks_for_is_told_without_the_secrets_in_it_and_moves_no_cursor() -> None:
    hearing = Hearing()
    hearing.note(f"http://x/{KEY}", "no")
    hearing.note("\x1b[2Jx\n", "no")
    hearing.note("y" * 100_000, "no")
    secret, escaped, long = (each.place for each in hearing.taken().refused)
    assert KEY not in secret
    assert escaped == "\\x1b[2Jx\\n"
    assert len(long) < 300


def test_a_proxy_whose_loop_has_ended_gives_no_door_and_leaves_nothing_of_one(world: World) -> None:
    with box(world) as tool:
        egress = tool.egress
        egress._loop.call_soon_threadsafe(egress._stop.set)  # noqa: SLF001 -- as by a fault of its own
        until(lambda: not egress.alive)
        folder = Path(egress.mount.source).parent
        before = sorted(folder.iterdir())
        with pytest.raises(OSError, match="the way out is closed"):
            egress.door()
        assert sorted(folder.iterdir()) == before


class Broken:
    """A proxy with a fault that nobody expects."""

    async def accept(self, *_: object) -> None:
        raise ValueError("what a tool sent")


def test_a_way_out_that_ends_before_its_box_is_said_without_what_was_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> int:
        door = Door(tmp_path)
        door.begin(cast("Any", Broken()))
        while door.listener.fileno() >= 0:  # noqa: ASYNC110 -- nothing else tells
            await asyncio.sleep(0)
        return len(caplog.records)

    assert asyncio.run(scene()) == 1
    assert "a box's way out has ended before the box: ValueError" in caplog.text
    assert "what a tool sent" not in caplog.text
