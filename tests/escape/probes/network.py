"""Any way out by a socket, but the egress proxy's."""

from __future__ import annotations

import array
import contextlib
import errno
import os
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tries import Tries

# What the kernel says before a packet has left the box; anything else means that one has.
_NOWHERE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EPERM, errno.EACCES, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
_METADATA = ("169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254")
_RESOLVERS = ("8.8.8.8", "1.1.1.1", "9.9.9.9")
_SECONDS = 1.0
_FAMILIES = 46
_ALLOWED = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6}


def host_listeners(tries: Tries, listeners: list[list[object]]) -> None:
    """A TCP server of the host: on its loopback, and on each of its addresses."""
    for address, port in listeners:
        _greet(tries, str(address), int(str(port)), refused_is_home=str(address).startswith(("127.", "::1")))


def _greet(tries: Tries, address: str, port: int, *, refused_is_home: bool = False) -> None:
    """Connect and say hello. A refusal is an answer from outside too, unless it is the box's own loopback."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(_SECONDS)
            client.connect((address, port))
            client.sendall(b"out of the box\n")
            tries.see(f"{address}:{port}", client.recv(100))
        tries.achieve(f"connected to {address}:{port}")
    except OSError as error:
        if error.errno in _NOWHERE or (refused_is_home and error.errno == errno.ECONNREFUSED):
            tries.refuse(f"{address}:{port}", error)
        else:
            tries.achieve(f"a packet went to {address}:{port}: {error}")


def local_network(tries: Tries, neighbours: list[str]) -> None:
    """A machine of the host's own network."""
    for address in (*neighbours, "10.0.0.1", "172.17.0.1", "192.168.1.1"):
        _greet(tries, address, 80)


def metadata_service(tries: Tries) -> None:
    """The cloud's metadata service, which hands out the machine's credentials."""
    for address in _METADATA:
        _greet(tries, address, 80)


def names_asked_for(tries: Tries) -> None:
    """DNS by UDP: what a name tells is out, even where no answer comes."""
    for address in (*_RESOLVERS, *_from_configuration()):
        for kind, name in ((socket.SOCK_DGRAM, "UDP"), (socket.SOCK_STREAM, "TCP")):
            if kind == socket.SOCK_STREAM:
                _greet(tries, address, 53, refused_is_home=address.startswith("127."))
                continue
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with socket.socket(family, kind) as client:
                question = b"\0\1\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"
                if address.startswith("127."):
                    tries.refuse(address, "is the box's own loopback")
                else:
                    tries.attempt(f"{name} question to {address}", client.sendto, question, (address, 53))
    try:
        found = socket.getaddrinfo("example.com", 80)
        tries.achieve(f"example.com is {found[0][4][0]}")
    except OSError as error:
        tries.refuse("getaddrinfo", error)


def _from_configuration() -> list[str]:
    with contextlib.suppress(OSError), open("/etc/resolv.conf", encoding="utf-8") as file:
        return [line.split()[1] for line in file if line.startswith("nameserver ")]
    return []


def datagrams(tries: Tries, datagram_ports: list[list[object]]) -> None:
    """UDP to the host, to a broadcast and to a multicast address."""
    for address, port in (*datagram_ports, ("255.255.255.255", 9), ("224.0.0.1", 9), ("198.51.100.1", 9)):
        with socket.socket(socket.AF_INET6 if ":" in str(address) else socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            try:
                client.sendto(b"out of the box", (str(address), int(str(port))))
            except OSError as error:
                tries.refuse(f"{address}", error)
                continue
            if str(address).startswith(("127.", "::1")):
                tries.refuse(f"{address}", "sent on some loopback; whose, the host sees")
            else:
                tries.achieve(f"a datagram went to {address}")


def abstract_socket(tries: Tries, abstract: str) -> None:
    """A unix socket of the host that has a name and no file."""
    _greet_unix(tries, "\0" + abstract)


def _greet_unix(tries: Tries, address: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_SECONDS)
        tries.attempt(repr(address), client.connect, address)


def socket_file(tries: Tries, socket_path: str) -> None:
    """A unix socket of the host that is a file."""
    _greet_unix(tries, socket_path)


def engine_socket(tries: Tries, engine_sockets: list[str]) -> None:
    """The container engine's own socket, and others by which a host is steered."""
    for path in (
        *engine_sockets,
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/run/podman/podman.sock",
        "/run/containerd/containerd.sock",
        "/run/dbus/system_bus_socket",
        "/run/systemd/private",
        "/run/systemd/journal/stdout",
        "/dev/log",
        "/run/user/65534/bus",
    ):
        _greet_unix(tries, path)
    for name in ("/containerd-shim", "/tmp/.X11-unix/X0", "/tmp/dbus"):
        _greet_unix(tries, "\0" + name)


def virtual_machine_socket(tries: Tries) -> None:
    """vsock: the machine that this machine runs on."""
    try:
        with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as client:
            tries.achieve("made a vsock socket")
            client.settimeout(_SECONDS)
            tries.attempt("vsock 2:1024", client.connect, (2, 1024))
    except OSError as error:
        tries.refuse("vsock", error)
    tries.attempt("/dev/vsock", os.open, "/dev/vsock", os.O_RDONLY)


def raw_sockets(tries: Tries) -> None:
    """Packets made by hand."""
    for name, family, kind, protocol in (
        ("raw ICMP", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        ("raw IP", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
        ("raw ICMPv6", socket.AF_INET6, socket.SOCK_RAW, 58),
        ("packet", socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)),
        ("packet datagram", socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)),
    ):
        tries.attempt(name, socket.socket, family, kind, protocol)


def kernel_sockets(tries: Tries) -> None:
    """Netlink, and every other family of sockets but unix and the two of IP."""
    for protocol in range(22):
        tries.attempt(f"netlink {protocol}", socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    for family in range(1, _FAMILIES):
        if family in _ALLOWED:
            continue
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            tries.attempt(f"family {family} kind {int(kind)}", socket.socket, family, kind, 0)


def sent_file_handles(tries: Tries, abstract: str) -> None:
    """An open file handed to the host, or taken from it, over a socket."""
    for address in ("/agentcop/egress/proxy.sock", "\0" + abstract):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(_SECONDS)
                client.connect(address)
                files = array.array("i", [os.open("/proc/self/exe", os.O_RDONLY) for _ in range(200)])
                client.sendmsg([b"GET "], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
                _, ancillary, _, _ = client.recvmsg(4096, socket.CMSG_SPACE(4 * 16))
                if ancillary:
                    tries.achieve(f"a file came from {address!r}")
        except OSError as error:
            tries.refuse(repr(address), error)
    tries.refuse("files sent", "what the host holds is looked at there")


def network_changed(tries: Tries) -> None:
    """An interface, an address or a route of one's own."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        up = struct.pack("16sH14s", b"lo", 0x1043, b"")
        tries.attempt("SIOCSIFFLAGS", fcntl.ioctl, client, 0x8914, up)
        address = struct.pack("16sH2s4s8s", b"lo:1", socket.AF_INET, b"", socket.inet_aton("127.9.9.9"), b"")
        tries.attempt("SIOCSIFADDR", fcntl.ioctl, client, 0x8916, address)
    tries.attempt("/dev/net/tun", os.open, "/dev/net/tun", os.O_RDWR)


def interfaces(tries: Tries) -> None:
    """An interface other than lo."""
    for _, name in socket.if_nameindex() if _can_list() else []:
        if name == "lo":
            tries.refuse("interface", "lo")
        else:
            tries.achieve(f"interface {name}")
    with open("/proc/net/dev", encoding="ascii") as file:
        names = [line.split(":")[0].strip() for line in file if ":" in line]
    for name in names:
        if name == "lo":
            tries.refuse("/proc/net/dev", "lo")
        else:
            tries.achieve(f"/proc/net/dev shows {name}")


def _can_list() -> bool:
    """Whether netlink, by which libc lists interfaces, can be had."""
    try:
        socket.if_nameindex()
    except OSError:
        return False
    return True
