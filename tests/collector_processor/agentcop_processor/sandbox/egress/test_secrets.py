"""A secret goes to its place, in its header, over TLS, and comes to light nowhere else."""

from __future__ import annotations

import gzip
import logging
import socket
from typing import TYPE_CHECKING

import pytest
import requests

from agentcop_policies.secrets import SecretUnset
from agentcop_processor.sandbox.egress.from_policy import secrets_of
from agentcop_processor.sandbox.egress.rules import rules_of
from agentcop_processor.sandbox.egress.way_out import egress_for
from agentcop_processor.sandbox.settings import Settings
from outside_world import CANARY, PUBLIC, box, secret
from policytext import policy

if TYPE_CHECKING:
    from pathlib import Path

    from outside_world import Box, World

_TOKEN = CANARY.removeprefix("Bearer ")
_URL = "https://api.example.com"


def _get(tool: Box, path: str, **more: str) -> requests.Response:
    return requests.get(
        _URL + path, proxies=tool.proxies, verify=tool.ca, headers=more, timeout=30, allow_redirects=False
    )


def test_the_header_is_added_outside_and_the_tools_own_is_gone(world: World) -> None:
    with box(world, secrets=(secret(),)) as tool:
        assert _get(tool, "/a?b=1", AUTHORIZATION="Bearer guess").text == "this is /a?b=1"
    assert world.https.headers("Authorization") == [CANARY]


def test_a_request_body_goes_with_it(world: World) -> None:
    with box(world, secrets=(secret(),)) as tool:
        requests.post(_URL + "/", data=b"x" * 1_000_000, proxies=tool.proxies, verify=tool.ca, timeout=30)
    assert [body for _, _, _, body in world.https.requests] == [b"x" * 1_000_000]


def test_no_other_place_gets_it(world: World) -> None:
    with box(world, secrets=(secret(),)) as tool:
        world.https.replies["/away"] = (302, {"Location": "https://open.example.com/caught"}, b"")
        bundle = world.folder / "both.pem"
        bundle.write_text(world.cafile.read_text() + (world.folder / tool.ca).read_text())
        answer = requests.get(_URL + "/away", proxies=tool.proxies, verify=str(bundle), timeout=30)
        assert answer.text == "this is /caught"
        requests.get("http://open.example.com/", proxies=tool.proxies, timeout=30)
    assert world.https.headers("Authorization") == [CANARY]
    assert world.http.headers("Authorization") == []


@pytest.mark.parametrize("host", ["other.example.com", "api.example.com:444", "api.example.com, x", "open.example.com"])
def test_another_tenant_of_the_same_server_does_not_get_it(world: World, host: str) -> None:
    with box(world, secrets=(secret(),)) as tool:
        answer = _get(tool, "/", Host=host)
        assert (answer.status_code, "Host header" in answer.text) == (403, True)
        assert tool.egress.refused == 1
    assert world.https.requests == []


def test_it_never_travels_unencrypted_unless_the_policy_says_so(world: World) -> None:
    world.serve(8080)
    with box(world, secrets=(secret("api.example.com:8080"),)) as tool:
        answer = requests.get("http://api.example.com:8080/", proxies=tool.proxies, timeout=30)
        assert (answer.status_code, "https" in answer.text) == (403, True)
    assert world.dialled == []
    plain = world.serve(8080)
    with box(world, secrets=(secret("http://api.example.com:8080"),)) as tool:
        answer = requests.get("http://api.example.com:8080/echo", proxies=tool.proxies, timeout=30)
        assert _TOKEN not in answer.text + str(answer.headers)
        trace = tool.raw(b"TRACE http://api.example.com:8080/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert trace.startswith(b"HTTP/1.1 403 ")
    assert plain.headers("Authorization") == [CANARY]


def test_a_place_that_is_not_who_it_says_gets_nothing(world: World) -> None:
    impostor = world.serve(443, "impostor.example.com")
    with box(world, secrets=(secret(),)) as tool, pytest.raises(requests.exceptions.ProxyError) as caught:
        _get(tool, "/")
    assert "502" in str(caught.value)
    assert "certificate does not hold" in str(caught.value)
    assert impostor.requests == []


@pytest.mark.parametrize("value", [CANARY, "Basic YW5uOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==", "naked-canary-0123"])
def test_a_place_that_echoes_it_does_not_tell_the_tool(world: World, value: str) -> None:
    with box(world, secrets=(secret(value=value),)) as tool:
        answer = _get(tool, "/echo", Accept_Encoding="gzip", Range="bytes=1-")
    assert value.rpartition(" ")[2] not in answer.text + str(answer.headers)
    assert "*" * len(value) in answer.text
    assert answer.headers["X-Seen"] == "*" * len(value)
    assert world.https.headers("Authorization") == [value]
    assert world.https.headers("Range") == []
    assert world.https.headers("Accept-Encoding") == ["identity"]


def test_an_echo_that_cannot_be_read_does_not_come_in(world: World) -> None:
    world.https.replies["/packed"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(CANARY.encode()))
    with box(world, secrets=(secret(),)) as tool:
        answer = _get(tool, "/packed")
    assert (answer.status_code, "encoding" in answer.text) == (502, True)


def test_an_echo_in_pieces_is_masked_too(world: World) -> None:
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in f"<{CANARY}>".encode()) + b"0\r\n\r\n"
    world.https.replies["/pieces"] = (200, {"Transfer-Encoding": "chunked"}, pieces)
    with box(world, secrets=(secret(),)) as tool:
        assert _get(tool, "/pieces").text == "<" + "*" * len(CANARY) + ">"


def test_it_is_in_no_outlet(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hidden = secret()
    settings = Settings(secrets=(hidden,))
    with box(world, secrets=(hidden,)) as tool:
        answers = [_get(tool, "/echo"), _get(tool, "/", Host="x.example")]
        world.names["api.example.com"] = [["10.0.0.1"]]
        raw = tool.raw(b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
        seen = [tool.egress, tool.egress.hosts, tool.egress.mount, settings, rules_of(settings), hidden]
        files = [path.read_text() for path in world.folder.rglob("*") if path.is_file()]
    told = "".join([*map(repr, seen), *files, caplog.text, raw.decode(), *(a.text + str(a.headers) for a in answers)])
    assert _TOKEN not in told
    assert "PRIVATE KEY" not in told


@pytest.mark.parametrize(
    ("place", "header", "value"),
    [
        ("api.example.com", "A", _TOKEN),
        ("https://api.example.com:443", "A", _TOKEN),
        ("http://api.example.com:443", "A", _TOKEN),
        ("api.example.com:443", "A", ""),
        ("api.example.com:443", "A", f"{_TOKEN}\n"),
        ("api.example.com:443", "A", f"{_TOKEN}\r\nX: y"),
        ("api.example.com:443", "A", f"{_TOKEN}\u00e9"),
    ],
)
def test_what_no_header_can_hold_is_refused_without_being_shown(
    tmp_path: Path, place: str, header: str, value: str
) -> None:
    with pytest.raises(ValueError, match=r"secret|host:port") as caught:
        egress_for(Settings(secrets=(secret(place, header, value),)), tmp_path)
    assert _TOKEN not in str(caught.value)


def test_a_policys_secrets_are_filled_in_from_the_environment_alone() -> None:
    written = '{host: "a.example:443", header: X, value: "Bearer ${T}"}'
    loaded = policy(f"agent_id: x\ngate: {{allow: [a]}}\nsandbox: {{secrets: [{written}]}}\n")
    assert loaded.document.sandbox is not None
    (filled,) = secrets_of(loaded.document.sandbox, {"T": _TOKEN})
    assert (filled.place, filled.header, filled.value) == ("a.example:443", "X", CANARY)
    assert "Bearer ${T}" in loaded.dump()
    with pytest.raises(SecretUnset, match="T"):
        secrets_of(loaded.document.sandbox, {})


def test_a_tool_that_does_not_trust_the_certificates_is_told_of_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with box(world, secrets=(secret(),)) as tool:
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(_URL, proxies=tool.proxies, verify=str(world.cafile), timeout=30)
        with socket.create_connection(("127.0.0.1", tool.port), timeout=30) as made:
            made.sendall(b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n")
            assert made.recv(12) == b"HTTP/1.1 400"
    assert "does not trust the certificates" in caplog.text
    assert world.dialled == [(PUBLIC, 443)]
