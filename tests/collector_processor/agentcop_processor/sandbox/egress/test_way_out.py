"""The proxy's files are for this user and its boxes; it starts, ends, and survives forks and crashes."""

from __future__ import annotations

import os
import signal
import socket
import stat
import threading
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from cryptography import x509

from agentcop_processor.sandbox.egress.authority import system_certificates
from agentcop_processor.sandbox.egress.way_out import egress_for
from agentcop_processor.sandbox.settings import Settings
from outside_world import box, secret

if TYPE_CHECKING:
    from outside_world import World


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_this_user_gets_to_the_socket_and_any_user_of_a_box_does(world: World) -> None:
    world.folder.chmod(0o755)
    (world.folder / "state").mkdir(mode=0o755)
    with box(world) as tool:
        seen = Path(tool.egress.mount.source)
        assert tool.egress.mount.target == "/agentcop/egress"
        assert not tool.egress.mount.writable
        assert _mode(seen.parent) == 0o700
        assert [_mode(each) for each in (seen, seen / "proxy.sock", seen / "ca.pem")] == [0o711, 0o666, 0o644]
        assert sorted(each.name for each in seen.iterdir()) == ["ca.pem", "proxy.sock"]


def test_a_long_path_is_no_hindrance(world: World) -> None:
    world.folder /= "a" * 120
    with box(world) as tool, socket.socket(socket.AF_UNIX) as made:
        folder = os.open(tool.egress.mount.source, os.O_RDONLY | os.O_DIRECTORY)
        made.settimeout(30)
        made.connect(f"/proc/self/fd/{folder}/proxy.sock")  # in a box its path is short
        os.close(folder)
        made.sendall(b"GET http://open.example.com/ HTTP/1.1\r\nHost: open.example.com\r\n\r\n")
        assert made.recv(12) == b"HTTP/1.1 200"


def test_the_end_takes_files_thread_and_connections_with_it(world: World) -> None:
    with box(world) as tool:
        made = socket.create_connection(("127.0.0.1", tool.port), timeout=30)
        requests.get("http://open.example.com/", proxies=tool.proxies, timeout=30)
        folder = Path(tool.egress.mount.source).parent
    with made:
        assert made.recv(1) == b""
    tool.egress.close()
    assert not folder.exists()
    assert "agentcop-egress" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_that_is_forked_after_the_end_keeps_its_files(world: World) -> None:
    with box(world) as tool:
        pass
    tool.egress.close()
    reading, writing = os.pipe()  # gets the numbers that the proxy's files had
    child = os.fork()
    if child == 0:
        os.write(writing, b"1")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(reading, 1) == b"1"
    os.close(reading)
    os.close(writing)


def test_certificates_are_the_systems_and_those_for_places_with_a_secret(world: World) -> None:
    system = system_certificates()
    with box(world) as tool:
        assert Path(tool.ca).read_text() == system
    with box(world, secrets=(secret(), secret("10.0.0.1:8443"))) as tool:
        ours = Path(tool.ca).read_text().removeprefix(system)
        assert ours.count("BEGIN CERTIFICATE") == 1
        assert "KEY" not in ours
    limits = x509.load_pem_x509_certificate(ours.encode()).extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    allowed = limits.value.permitted_subtrees
    assert allowed is not None
    assert [each.value for each in allowed] == [ip_network("10.0.0.1"), "api.example.com"]


def test_the_systems_certificates_are_those_of_ssl_cert_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(world.cafile))
    with box(world) as tool:
        assert Path(tool.ca).read_text().strip() == world.cafile.read_text().strip()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_needs_its_own_and_leaves_its_parents_alone(world: World) -> None:
    with box(world) as tool:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                tool.egress.close()
                own = egress_for(Settings(), world.folder / "state", outside=world.outside)
                if own is not None and Path(tool.egress.mount.source).is_dir():
                    own.close()
                    code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        assert requests.get("http://open.example.com/", proxies=tool.proxies, timeout=30).text == "this is /"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_what_a_killed_process_left_is_cleared_and_what_a_living_one_has_is_not(world: World) -> None:
    state = world.folder / "state"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            egress_for(Settings(), state, outside=world.outside)
            os.write(writing, b"1")
            signal.pause()
        finally:
            os._exit(1)
    assert os.read(reading, 1) == b"1"
    os.close(reading)
    os.close(writing)
    (left,) = state.iterdir()
    with box(world):
        assert left.exists()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with box(world) as tool:
        assert [each for each in state.iterdir() if each.name != "x"] == [Path(tool.egress.mount.source).parent]


@pytest.mark.parametrize("place", ["example.com", "example.com:0", "*.example.com:443", "https://example.com:443", ""])
def test_a_place_that_is_none_is_an_error_and_leaves_nothing(tmp_path: Path, place: str) -> None:
    with pytest.raises(ValueError, match="sandbox names"):
        egress_for(Settings(network=(place,)), tmp_path / "state")
    assert list(tmp_path.iterdir()) == []
