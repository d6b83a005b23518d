"""What counts as public, address by address."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_processor.sandbox.egress.addresses import is_own, kind_of


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("93.184.216.34", ""),
        ("1.1.1.1", ""),
        ("2606:4700::1111", ""),
        ("0.0.0.1", "unspecified"),
        ("10.1.2.3", "private"),
        ("100.64.0.1", "shared"),
        ("100.100.100.200", "metadata"),
        ("127.255.0.1", "loopback"),
        ("168.63.129.16", "metadata"),
        ("169.254.1.1", "link-local"),
        ("169.254.169.254", "metadata"),
        ("172.31.255.255", "private"),
        ("192.0.0.192", "metadata"),
        ("192.0.2.1", "documentation"),
        ("192.168.1.1", "private"),
        ("198.19.0.1", "benchmark"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::127.0.0.1", "reserved"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "metadata"),
        ("::ffff:93.184.216.34", ""),
        ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b::93.184.216.34", ""),
        ("64:ff9b:1::1", "reserved"),
        ("100::1", "reserved"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "a Teredo tunnel"),
        ("2001:db8::1", "documentation"),
        ("2002:a00:1::", "a 6to4 tunnel"),
        ("3fff::1", "documentation"),
        ("4000::1", "reserved"),
        ("5f00::1", "reserved"),
        ("fc00::1", "private"),
        ("fd00:ec2::254", "metadata"),
        ("fe80::1", "link-local"),
        ("fe80::1%2", "link-local"),
        ("2606:4700::1111%2", "link-local"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
    ],
)
def test_each_kind_of_address_is_told_apart(address: str, kind: str) -> None:
    assert kind_of(ip_address(address)) == kind


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_no_ipv4_address_counts_as_public_that_python_knows_not_to_be(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert kind_of(address)
    mapped, translated = IPv6Address(f"::ffff:{address}"), IPv6Address(f"64:ff9b::{address}")
    assert kind_of(address) == kind_of(mapped) == kind_of(translated)


@given(st.integers(0, 2**128 - 1).map(IPv6Address) | st.integers(0x2000 << 112, 0x4000 << 112).map(IPv6Address))
def test_no_ipv6_address_counts_as_public_that_python_knows_not_to_be(address: IPv6Address) -> None:
    if address.ipv4_mapped is None and (not address.is_global or address.is_multicast or address.is_reserved):
        assert kind_of(address)


def test_the_machines_own_addresses_are_known_and_others_are_not() -> None:
    assert is_own(ip_address("127.0.0.1"))
    assert not is_own(ip_address("93.184.216.34"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("93.184.216.34", 9))
        except OSError:
            return  # a machine without a route has no other address
        assert is_own(ip_address(probe.getsockname()[0]))
