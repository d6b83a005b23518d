"""What the policy does not let out does not get out, however it is spelled and wherever a name leads."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import requests

from agentcop_processor.sandbox.egress.way_out import egress_for
from agentcop_processor.sandbox.settings import Settings
from outside_world import OTHER, PUBLIC, box

if TYPE_CHECKING:
    from pathlib import Path

    from outside_world import World


def _connect(place: str) -> bytes:
    return f"CONNECT {place} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def test_without_a_network_there_is_no_proxy(tmp_path: Path) -> None:
    assert egress_for(Settings(network="none"), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "place",
    [
        "other.example.com:443",
        "open.example.com:80",
        "open.example.com:4430",
        "sub.open.example.com:443",
        "open.example.com.evil.example:443",
        "xopen.example.com:443",
        PUBLIC + ":443",
    ],
)
def test_only_the_exact_place_of_a_list_is_reached(world: World, place: str) -> None:
    world.names = {name: [[PUBLIC]] for name in ("other.example.com", "sub.open.example.com", "xopen.example.com")}
    with box(world, network=("open.example.com:443",)) as tool:
        answer = tool.raw(_connect(place))
    assert answer.startswith(b"HTTP/1.1 403 sandbox.network.allow does not name this place\r\n")
    assert (world.lookups, world.dialled) == ([], [])  # not even its name left the machine


@pytest.mark.parametrize("place", ["OPEN.Example.COM:443", "open.example.com.:443"])
def test_case_and_a_trailing_dot_make_no_other_place(world: World, place: str) -> None:
    with box(world, network=("Open.example.com.:443",)) as tool:
        assert tool.raw(_connect(place)).startswith(b"HTTP/1.1 200 ")
    assert world.lookups == ["open.example.com"]


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("127.0.0.1", "a loopback address"),
        ("[::1]", "a loopback address"),
        ("[::ffff:127.0.0.1]", "a loopback address"),
        ("10.0.0.1", "a private address"),
        ("169.254.169.254", "a metadata address"),
        ("[fd00:ec2::254]", "a metadata address"),
        ("192.0.0.192", "a metadata address"),
        ("100.64.0.1", "a shared address"),
        ("0.0.0.1", "an unspecified address"),
        ("2130706433", "reads the same way"),
        ("0x7f000001", "reads the same way"),
        ("0177.0.0.1", "reads the same way"),
        ("127.1", "reads the same way"),
        ("[64:ff9b::7f00:1]", "reads the same way"),
        ("[2002:7f00:1::]", "reads the same way"),
        ("[fe80::1%25lo]", "reads the same way"),
        ("user@open.example.com", "reads the same way"),
        ("open.example.com\\@x", "reads the same way"),
    ],
)
def test_an_address_inside_is_refused_in_every_spelling(world: World, host: str, why: str) -> None:
    with box(world) as tool:
        for request in (_connect(f"{host}:80"), f"GET http://{host}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode()):
            answer = tool.raw(request).decode()
            assert answer.startswith("HTTP/1.1 403 ")
            assert why in answer
        assert (tool.egress.refused, tool.egress.allowed) == (2, 0)
    assert world.dialled == []


@pytest.mark.parametrize(
    "answers",
    [
        ["10.0.0.1"],
        [PUBLIC, "10.0.0.1"],
        ["::ffff:169.254.169.254", PUBLIC],
        [PUBLIC, "fe80::1%eth0"],
        [PUBLIC, "rubbish"],
        [PUBLIC] * 40,
    ],
)
@pytest.mark.parametrize("network", ["public", ("tricky.example.com:80",)])
def test_a_name_with_one_address_inside_is_refused_altogether(
    world: World, answers: list[str], network: str | tuple[str, ...]
) -> None:
    world.names["tricky.example.com"] = [answers]
    with box(world, network=network) as tool:
        answer = requests.get("http://tricky.example.com/", proxies=tool.proxies, timeout=30)
    assert answer.status_code == 403
    assert world.dialled == []


def test_a_name_that_changes_its_address_is_connected_to_at_the_one_that_was_checked(world: World) -> None:
    world.names["rebinding.example.com"] = [[PUBLIC], ["127.0.0.1"]]
    with box(world) as tool:
        url = "http://rebinding.example.com/"
        assert requests.get(url, proxies=tool.proxies, timeout=30).status_code == 200
        assert world.lookups == ["rebinding.example.com"]
        assert requests.get(url, proxies=tool.proxies, timeout=30).status_code == 403
    assert world.dialled == [(PUBLIC, 80)]


def test_the_machines_own_public_address_is_refused(world: World) -> None:
    world.own.add(OTHER)
    world.names["me.example.com"] = [[OTHER]]
    with box(world) as tool:
        for url in ("http://me.example.com/", f"http://{OTHER}/"):
            answer = requests.get(url, proxies=tool.proxies, timeout=30)
            assert (answer.status_code, "own address" in answer.text) == (403, True)
    assert world.dialled == []


def test_a_private_address_is_reached_only_where_a_list_has_it_as_that_address(world: World) -> None:
    world.names["inner.example.com"] = [["10.0.0.7"]]
    network = (
        "10.0.0.7:80",
        "inner.example.com:80",
        "127.0.0.1:80",
        "169.254.169.254:80",
        "100.64.0.1:80",
        "[fe80::1]:80",
    )
    with box(world, network=network) as tool:
        assert tool.raw(_connect("10.0.0.7:80")).startswith(b"HTTP/1.1 200 ")
        for place in network[1:]:
            assert tool.raw(_connect(place)).startswith(b"HTTP/1.1 403 it leads to ")
        world.own.add("10.0.0.7")
        assert tool.raw(_connect("10.0.0.7:80")).startswith(b"HTTP/1.1 403 it leads to this machine's own")
    assert world.dialled == [("10.0.0.7", 80)]


def test_every_host_is_logged_once_and_counted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "agentcop")
    with box(world) as tool:
        for _ in range(3):
            requests.get("http://open.example.com/", proxies=tool.proxies, timeout=30)
            requests.get("http://10.0.0.1/", proxies=tool.proxies, timeout=30)
        assert (tool.egress.allowed, tool.egress.refused) == (3, 3)
    assert [record.getMessage() for record in caplog.records if record.name == "agentcop"] == [
        "sandbox egress: reached open.example.com:80",
        "sandbox egress: refused 10.0.0.1:80: it leads to a private address; sandbox.network reaches public ones only",
    ]


def test_what_a_tool_calls_a_host_cannot_write_into_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    token = "ghp_" + "a1B2" * 9
    with box(world) as tool:
        tool.raw(f"GET http://x\x1b[31m?token={token} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        tool.raw(_connect(f"{token}.example.com:443x"))
    assert "\x1b" not in caplog.text
    assert token not in caplog.text
