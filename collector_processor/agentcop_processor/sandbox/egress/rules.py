"""What may leave a box: the names by the policy's list, the addresses by what they are."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Final

from agentcop_policies.document.places import NoPlace, place
from agentcop_processor.sandbox.egress.addresses import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcop_policies.document.places import Place
    from agentcop_processor.sandbox.egress.addresses import Address
    from agentcop_processor.sandbox.settings import Secret, Settings

_PRIVATE: Final = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv6Network("fc00::/7"),
)
_TLS_PORT: Final = 443
_PLAIN: Final = "http://"


class Refused(Exception):  # noqa: N818 -- an answer, not a fault
    """A request that does not leave the box: why, in one sentence that names the rule and no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A header that requests for one place get outside of the box."""

    header: str
    """Its name, lower case."""
    value: str
    """Never in a log, a `repr`, or the box."""

    def __repr__(self) -> str:
        return f"Added(header={self.header!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One policy's rules. Pure; thread-safe."""

    allow: frozenset[Place] | None
    """The only places; None: every public one, at any port."""
    secure: Mapping[Place, tuple[Added, ...]]
    """Headers added to requests over TLS, by place."""
    plain: Mapping[Place, tuple[Added, ...]]
    """Headers added to requests that travel unencrypted, because the policy writes `http://`."""

    def check_place(self, where: Place) -> None:
        """Whether the policy lets a tool go there by that name. Raises Refused."""
        if self.allow is not None and where not in self.allow:
            raise Refused("sandbox.network.allow does not name this place")

    def check_address(self, where: Place, address: Address, *, own: bool) -> None:
        """Whether a connection for `where` may go to `address`; `own`: the machine would reach itself. Raises Refused.

        A private address needs its own line in `sandbox.network.allow`, as that address; loopback, link-local and
        metadata addresses are refused even then.
        """
        kind = kind_of(address)
        if own and kind != "loopback":
            raise Refused("it leads to this machine's own address")
        if not kind:
            return
        listed = self.allow is not None and where in self.allow and where.address == address
        if kind == "private" and listed and any(address in network for network in _PRIVATE):
            return
        raise Refused(f"it leads to {_an(kind)} address; sandbox.network reaches public ones only")


def rules_of(settings: Settings) -> Rules:
    """What `settings` say. Raises ValueError for a place or a secret that is none: the message names no value."""
    network = settings.network
    allow = None if isinstance(network, str) else frozenset(_place(text) for text in network)
    secure: dict[Place, tuple[Added, ...]] = {}
    plain: dict[Place, tuple[Added, ...]] = {}
    for secret in settings.secrets:
        where = _place(secret.place.removeprefix(_PLAIN))
        chosen = plain if secret.place.startswith(_PLAIN) else secure
        if chosen is plain and where.port == _TLS_PORT:
            raise ValueError(f"the secret for {where}: port 443 is for https, not for http://")
        added = _added(secret, where)
        if any(each.header == added.header for each in chosen.get(where, ())):
            raise ValueError(f"the secret for {where}: the header {added.header} is given twice")
        chosen[where] = (*chosen.get(where, ()), added)
    if both := secure.keys() & plain.keys():
        raise ValueError(f"the secret for {min(map(str, both))} is for https and for http:// at one port")
    return Rules(allow=allow, secure=secure, plain=plain)


def _added(secret: Secret, where: Place) -> Added:
    value = secret.value
    if not value or value != value.strip() or not value.isascii() or not value.isprintable():
        raise ValueError(f"the secret for {where} is no header's value: it is empty, or holds what no header can")
    return Added(header=secret.header.lower(), value=value)


def _place(text: str) -> Place:
    try:
        return place(text)
    except NoPlace as fault:
        raise ValueError(f"sandbox names {text!r}: {fault}") from fault


def _an(kind: str) -> str:
    return kind if kind.startswith("a ") else f"a{'n' if kind[0] in 'aeiou' else ''} {kind}"
