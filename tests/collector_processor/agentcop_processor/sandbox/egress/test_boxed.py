"""A tool in a real box reaches what its policy lets it reach, by libraries it knows, and looks up no name itself."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.settings import Settings
from outside_world import CANARY, box, secret
from process_boxes import process_box

if TYPE_CHECKING:
    from outside_world import World

pytestmark = pytest.mark.sandbox

_ASK = """
    import urllib.error, urllib.request

    def tool(*urls):
        found = []
        for url in urls:
            try:
                found.append(urllib.request.urlopen(url, timeout=30).read().decode())
            except OSError as error:
                found.append(f"{type(error).__name__}: {error}")
        return found
"""

_ELSEWHERE = """
    import os, socket

    def tool(port):
        found = []
        for family, kind, address in (
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", port)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("93.184.216.34", 53)),
            (socket.AF_INET, socket.SOCK_STREAM, ("93.184.216.34", 443)),
        ):
            with socket.socket(family, kind) as made:
                try:
                    made.settimeout(5)
                    made.connect(address)
                    made.send(b"who is example.com?")
                    found.append("sent")
                except OSError as error:
                    found.append(type(error).__name__)
        try:
            socket.getaddrinfo("open.example.com", 443)
            found.append("resolved")
        except OSError as error:
            found.append(type(error).__name__)
        return found, sorted(os.listdir("/proc/1/fd")) if os.access("/proc/1/fd", os.R_OK) else []
"""


def test_a_boxed_tool_gets_out_by_the_proxy_alone_and_never_holds_the_secret(world: World) -> None:
    settings = Settings(mode="process", secrets=(secret(),))
    with box(world, secrets=settings.secrets) as tool, process_box(tool.egress.mount, settings=settings) as boxed:
        answers = boxed.run(
            _ASK,
            "http://open.example.com/plain",
            "https://api.example.com/echo",
            "http://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
        )
        assert isinstance(answers, list)
        plain, echo, private, metadata = answers
        assert plain == "this is /plain"
        assert "*" * len(CANARY) in echo
        assert CANARY not in echo
        assert "403" in private
        assert "403" in metadata
        assert (tool.egress.allowed, tool.egress.refused) == (2, 2)
    assert world.https.headers("Authorization") == [CANARY]
    assert world.lookups == ["open.example.com", "api.example.com"]


def test_no_datagram_and_no_name_leaves_a_box(world: World) -> None:
    settings = Settings(mode="process")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as counting:
        counting.bind(("127.0.0.1", 0))
        counting.settimeout(0.5)
        with box(world) as tool, process_box(tool.egress.mount, settings=settings) as boxed:
            answer = boxed.run(_ELSEWHERE, counting.getsockname()[1])
            with pytest.raises(TimeoutError):
                counting.recv(1)
    assert isinstance(answer, tuple)
    assert answer[0][1:] == ["OSError", "OSError", "gaierror"]
    assert answer[1] == []
    assert world.lookups == []
