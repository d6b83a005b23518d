"""A place: one host and one port, in the one form that a policy's words and a tool's request are both brought to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from agentcop_policies.when.cannot import CannotJudgeError
from agentcop_policies.when.url import normal_host

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

_MAX_PORT: Final = 65_535
_PLACE: Final = re.compile(r"([^\s:/?#@\\]{1,254}|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})")


class NoPlace(Exception):  # noqa: N818 -- an answer, not a fault
    """The text is no `host:port` that every client reads in the same way. The message holds nothing of the text."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connection goes."""

    host: str
    """A lower-case IDNA name without trailing dot, or an address in its one form, IPv6 without brackets."""
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The address, where no name was written."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None


def place(text: str) -> Place:
    """`example.com:443` or `[2001:db8::1]:443` as a place. Raises NoPlace."""
    found = _PLACE.fullmatch(text)
    if found is None:
        raise NoPlace("it is not host:port, as example.com:443 is")
    if "*" in found[1]:
        raise NoPlace("there are no wildcards: each host is written out")
    return place_of(found[1], int(found[2]))


def place_of(host: str, port: int) -> Place:
    """The same of both parts, IPv6 in brackets. Raises NoPlace."""
    if not 0 < port <= _MAX_PORT:
        raise NoPlace("the port is not one")
    try:
        return Place(normal_host(host), port)
    except CannotJudgeError as fault:
        raise NoPlace(str(fault)) from fault
