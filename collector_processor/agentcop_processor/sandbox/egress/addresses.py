"""Which addresses are public: everything that is not set aside for something else.

The tables are IANA's registries of special-purpose addresses, and the addresses at which clouds hand out credentials.
They are written out because what Python's `ipaddress` calls global has changed between its releases.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address

_METADATA: Final = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # nearly everybody's
        "169.254.170.2",  # credentials of an AWS container
        "169.254.170.23",  # the same, of a Kubernetes pod
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
        "192.0.0.192",  # Oracle
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure: looks public, and is the machine's own platform
    )
)

_V4: Final = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "reserved"),  # relays of 6to4
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmark"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)

_V6: Final = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),  # site-local of old
        ("ff00::/8", "multicast"),
        ("2001::/32", "a Teredo tunnel"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "a 6to4 tunnel"),
        ("3fff::/20", "documentation"),
    )
)

_GLOBAL: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")


def kind_of(address: Address) -> str:
    """Why this address is not public, as one word or two: `private`, `loopback`, `metadata` …; "" where it is public.

    An IPv4 address within an IPv6 one (mapped, or by the well-known NAT64 prefix) is judged as itself.
    """
    if address in _METADATA:
        return "metadata"
    if isinstance(address, IPv4Address):
        return next((kind for network, kind in _V4 if address in network), "")
    if address.scope_id is not None:
        return "link-local"
    if (mapped := address.ipv4_mapped) is not None:
        return kind_of(mapped)
    if address in _NAT64:
        return kind_of(IPv4Address(int(address) & 0xFFFF_FFFF))
    kind = next((kind for network, kind in _V6 if address in network), "")
    return kind or ("" if address in _GLOBAL else "reserved")


def is_own(address: Address) -> bool:
    """Whether the machine would reach itself at `address`. Sends nothing; does not block.

    Its public address in a cloud is usually its gateway's, and cannot be told from here.
    """
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            # Of a datagram socket this only chooses the address that packets would come from.
            probe.connect((str(address), 9))
            return ip_address(probe.getsockname()[0]) == address
        except OSError:
            return False  # there is no way there, so there is none to itself
